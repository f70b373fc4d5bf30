import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // works in any folder of a file host
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
    assetsInlineLimit: 0,
    rollupOptions: { input: ['index.html', 'pictures.html'] },
  },
});
