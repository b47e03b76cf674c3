"""The vendored scripts are those that were released, with their licences."""

from hashlib import sha256
from pathlib import Path

import memesnipe.api

VENDOR = Path(memesnipe.api.__file__).parent / "page" / "vendor"
# SHA-256 of files of the npm packages uplot 1.6.32 and lightweight-charts 5.2.1.
RELEASED = {
    "lightweight-charts-5.2.1.js": "1bb1ee79f9d4dd17261b53d930f7a8995748276f80e7ba0e24412b5068062f5f",
    "lightweight-charts-LICENSE.txt": "70c9d5382506dd184465425c08a99ad9bd6d9ac1313c252968ba0b585e5ef823",
    "uplot-1.6.32.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uplot-1.6.32.js": "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
    "uplot-LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


def test_the_vendored_files_are_the_released_ones():
    assert {path.name: sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()} == RELEASED


def test_each_library_has_its_licence():
    for library in ("uplot", "lightweight-charts"):
        names = {path.name for path in VENDOR.glob(f"{library}-*")}
        assert f"{library}-LICENSE.txt" in names and len(names) >= 2
