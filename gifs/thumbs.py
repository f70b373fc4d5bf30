"""The small GIFs of the README's table, the upper left corners of the chapters' GIFs: python -m gifs.thumbs"""

from pathlib import Path

from PIL import Image, ImageSequence

HERE = Path(__file__).resolve().parent
CORNERS = {  # columns, rows, and in pixels the side of an image and the line between two
    "01_mnist": (6, 4, 56, 2),
    "02_pokemon": (3, 2, 64, 1),
    "03_faces": (3, 2, 64, 1),
    "04_anime_faces": (3, 2, 64, 1),
    "05_pixel_heroes": (3, 2, 64, 1),
    "06_from_scratch": (3, 2, 64, 2),
    "07_explore": (3, 2, 64, 1),
    "08_your_images": (3, 2, 64, 1),
    "09_choose": (6, 4, 56, 2),
}


def main():
    (HERE / "thumbs").mkdir(exist_ok=True)
    for name, (columns, rows, side, line) in CORNERS.items():
        width, height = (count * (side + line) - line for count in (columns, rows))
        frames, times = [], []
        with Image.open(HERE / f"{name}.gif") as animation:
            for frame in ImageSequence.Iterator(animation):
                frames.append(frame.convert("RGB").crop((0, 0, width, height)))
                times.append(frame.info["duration"])
        path = HERE / "thumbs" / f"{name}.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
        print(f"{path.name}: {frames[0].width} x {frames[0].height}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
