"""Pictures and animations of every kind, upright and on white."""

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from aim_core.media.check import check_media
from aim_core.media.decode import load_frames
from aim_core.media.errors import HEAVY_PICTURE, MediaError
from aim_core.media.limits import Limits
from aim_core.media.worker import read
from tests.helpers.heic import tiled_heic
from tools.fuzz.bombs import layered_jpeg
from tools.fuzz.clips import number_of, numbered

pillow_heif.register_heif_opener()
LOSSLESS = {"webp": {"lossless": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}, "heic": {"quality": 100}}
KINDS = ("png", "jpeg", "webp", "bmp", "tiff", "avif", "heic")
TURNED = ("png", "jpeg", "webp", "tiff", "avif", "heic")
CLEAR = ("png", "webp", "tiff", "avif", "heic")


def here(path, num_frames=8, max_side=768, limits=None):
    return check_media(path), read(path, num_frames, max_side, limits or Limits())


def saved(image, folder, kind, **more):
    path = folder / f"picture.{kind}"
    image.save(path, **LOSSLESS.get(kind, {}), **more)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(tmp_path, kind):
    want = numbered(77)
    told, got = here(saved(Image.fromarray(want), tmp_path, kind))
    assert told == got.kind == "image" and got.frames.shape == (1, 120, 160, 3) and got.duration == 0
    assert np.abs(got.frames[0].astype(int) - want).mean() < 3  # JPEG and HEIC change colours a little


@pytest.mark.parametrize("kind", TURNED)
@pytest.mark.parametrize("orientation", range(2, 9))
def test_each_kind_is_turned_as_the_camera_says(tmp_path, kind, orientation):
    """Orientations of EXIF, section 4.6.5: the picture is stored so that each puts it upright."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that undoes what the orientation asks for
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(numbered(77)).transpose(Image.Transpose(back[orientation]))
    _, got = here(saved(stored, tmp_path, kind, exif=exif.tobytes()))
    assert got.frames.shape == (1, 120, 160, 3) and number_of(got.frames[0]) == 77
    noise = np.abs(got.frames[0].astype(int) - numbered(77)).mean()
    assert noise < 4  # mirrored upside down, the bars would say the same


@pytest.mark.parametrize("kind", CLEAR)
def test_what_is_clear_is_white(tmp_path, kind):
    layers = np.zeros((40, 60, 4), np.uint8)
    layers[:, 20:, :] = (0, 0, 0, 128)
    layers[:, 40:, :] = (250, 0, 0, 255)
    _, got = here(saved(Image.fromarray(layers), tmp_path, kind))
    middles = got.frames[0, 20, [10, 30, 50]].astype(int)
    assert np.abs(middles - [(255, 255, 255), (127, 127, 127), (250, 0, 0)]).max() < 6


def test_clear_colours_of_palettes_and_greys_are_white(tmp_path):
    Image.new("LA", (8, 8), (0, 0)).save(tmp_path / "grey.png")
    palette = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) // 16, mode="P")
    palette.putpalette([10, 10, 10] * 3 + [20, 20, 20])
    palette.save(tmp_path / "palette.png", transparency=3)
    assert here(tmp_path / "grey.png")[1].frames.min() == 255
    assert here(tmp_path / "palette.png")[1].frames[0, ::2, 0, 0].tolist() == [10, 10, 10, 255]


def test_a_photo_of_tiles_is_one_picture(tmp_path):
    """As iPhones write them."""
    want = numbered(77, (256, 128))
    (tmp_path / "photo.heic").write_bytes(tiled_heic(want, 64))
    told, got = here(tmp_path / "photo.heic")
    assert told == "image" and got.frames.shape == (1, 128, 256, 3)
    assert np.abs(got.frames[0].astype(int) - want).mean() < 4


@pytest.mark.parametrize("kind", ["heic", "avif", "tiff"])
def test_the_confined_child_reads_it_too(tmp_path, kind):
    """Its library is loaded when nothing but libraries can be read."""
    got = load_frames(saved(Image.fromarray(numbered(77)), tmp_path, kind))
    assert number_of(got.frames[0]) == 77


def animated(path, num_frames=12, **more):
    frames = [Image.fromarray(numbered(number)) for number in range(num_frames)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **more)
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif"])
def test_animations_are_videos(tmp_path, name):
    told, got = here(animated(tmp_path / name, duration=[100] * 6 + [200] * 6), num_frames=6)
    assert told == got.kind == "video" and got.duration == pytest.approx(1.8, abs=0.02)
    assert [number_of(frame) for frame in got.frames] == [1, 4, 6, 8, 9, 11]
    assert got.times == pytest.approx([0.1, 0.4, 0.6, 1.0, 1.2, 1.6], abs=0.01)


@pytest.mark.parametrize("name", ["a.webp", "a.png"])
def test_animations_of_one_frame_are_pictures(tmp_path, name):
    assert here(animated(tmp_path / name, num_frames=1))[0] == "image"


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif"])
def test_clear_animations_are_on_white(tmp_path, name):
    frames = [Image.new("RGBA", (32, 32), (0, 0, 0, 0)) for _ in range(3)]
    for place, frame in enumerate(frames):
        frame.paste((200, 0, 0, 255), (8 * place, 8, 8 * place + 8, 16))
        for corner in ((0, 0), (31, 31)):  # so that each frame changes all of it
            frame.putpixel(corner, (0, 70 * place, 0, 255))
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100, disposal=2)
    _, got = here(tmp_path / name, num_frames=3)
    assert got.frames[:, 24:, :24].min() >= 250 and got.kind == "video"
    assert [int((frame[12, :, 1] < 100).argmax()) for frame in got.frames] == [0, 8, 16]


def test_pages_give_the_first(tmp_path):
    assert number_of(here(animated(tmp_path / "pages.tiff", 3))[1].frames[0]) == 0


def test_a_picture_is_opened_as_what_its_first_bytes_say(tmp_path):
    Image.fromarray(numbered(5)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.heic")
    assert number_of(here(tmp_path / "a.heic")[1].frames[0]) == 5


@pytest.mark.parametrize("kind", ("png", "jpeg", "webp", "tiff", "avif", "heic"))
def test_pictures_that_are_cut_off(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    path = saved(Image.fromarray(noise), tmp_path, kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match="damaged or cut off"):
        here(path)


def test_pictures_too_large_are_refused_by_their_headers(tmp_path):
    for kind in KINDS:
        with pytest.raises(MediaError, match="million pixels"):
            here(saved(Image.fromarray(numbered(1)), tmp_path, kind), limits=Limits(picture_pixels=1000))


def test_a_jpeg_of_too_many_layers_is_refused(tmp_path):
    (tmp_path / "layers.jpg").write_bytes(layered_jpeg(2000, 1000, 600))
    with pytest.raises(MediaError) as refused:
        here(tmp_path / "layers.jpg")
    assert str(refused.value) == HEAVY_PICTURE


def test_an_animation_too_long_to_decode_is_refused_before(tmp_path):
    for name in ("a.webp", "a.png", "a.gif"):
        with pytest.raises(MediaError, match="too long to decode"):
            here(animated(tmp_path / name), limits=Limits(decode_seconds=0.001))
