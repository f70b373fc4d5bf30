"""Pictures: grids, plots and GIFs."""
