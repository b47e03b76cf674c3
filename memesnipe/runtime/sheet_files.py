"""A tear sheet as files: a page, and pictures of its figures."""

from pathlib import Path

from memesnipe.tearsheet.page import page
from memesnipe.tearsheet.pictures import write_pictures
from memesnipe.tearsheet.sheet import Sheet


def write_sheet(sheet: Sheet, path: Path, pictures: Path | None) -> list[Path]:
    """Write a tear sheet; return the pictures that were written.

    Args:
        sheet: to write.
        path: of the page, which appears complete or not at all.
        pictures: the folder of the pictures, made where it is missing; None for none.

    Raises:
        MemeSnipeError: pictures are wanted, and matplotlib is not installed.
    """
    drawn = [] if pictures is None else write_pictures(sheet, pictures)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(page(sheet), encoding="utf-8")
    partial.replace(path)
    return drawn
