"""Pictures of every kind that `dataset` decodes, made here: (name, file bytes) pairs.

Pillow writes most of them; what it cannot write (interlaced PNGs, 16-bit RGB, TIFFs of odd kinds, GIF frames that lie
off the corner) is put together by hand below, so that nothing has to be carried along.
"""

import io
import itertools
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

SIZES = [(1, 1), (1, 9), (9, 1), (2, 3), (7, 5), (8, 8), (13, 64), (31, 17), (33, 57), (64, 64), (65, 63), (97, 131),
         (100, 37), (127, 129), (223, 225), (224, 224), (225, 224), (231, 300), (256, 256), (255, 256), (257, 255),
         (300, 199), (341, 256), (400, 30), (30, 400), (3, 500), (511, 384)]


def scene(width, height, seed, channels):
    """Shapes on a gradient under some noise: (height, width, channels) u8, with smooth and hard edges as photographs have."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, r = random.integers(0, width + 1), random.integers(0, height + 1), random.integers(1, max(width, height) + 1)
        draw.ellipse((x - r / 2, y - r / 3, x + r / 2, y + r / 3), fill=tuple(int(v) for v in random.integers(0, 256, 3)))
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.asarray(image).astype(np.float64) * 0.7 + ((x * 80 / width) + (y * 60 / height))[..., None] * 0.5
    pixels = pixels + random.normal(0, 12, (height, width, 3))
    alpha = random.integers(0, 256, (height, width, 1)) * (random.random((height, width, 1)) < 0.6)
    return np.concatenate([pixels.clip(0, 255), alpha], -1)[..., :channels].astype(np.uint8)


def save(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


# PNG by hand

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(samples, depth):
    """(h, w, c) samples → rows of bytes of `depth` bits a sample, big-endian."""
    rows = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in rows]
    bits = (rows[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]


def png(samples, depth, kind, extra=b"", interlaced=False):
    """(h, w, c) samples; `kind` 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    height, width = samples.shape[:2]
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes] if interlaced else [samples]
    rows = b"".join(b"\0" + row for part in parts if part.size for row in pack(part, depth))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pngs():
    """Every mode at every size."""
    for number, (width, height) in enumerate(SIZES):
        rgba = scene(width, height, number, 4)
        random = np.random.default_rng(1000 + number)
        wide = random.integers(0, 65536, (height, width, 4)).astype(np.uint16)
        wide[random.random(wide.shape) < 0.3] //= 200  # so that clipped grey has levels below 255
        rgb, grey = Image.fromarray(rgba[..., :3]), Image.fromarray(rgba[..., 0])
        palette = rgb.quantize(200)
        few = rgb.quantize(13)
        few_alphas = bytes(random.integers(0, 256, 13).tolist())
        modes = {
            "1": save(grey.convert("1"), "PNG"),
            "L": save(grey, "PNG"),
            "L+trns": save(grey, "PNG", transparency=7),
            "LA": save(Image.fromarray(rgba[..., [0, 3]], "LA"), "PNG"),
            "P": save(palette, "PNG"),
            "P+trns": save(palette, "PNG", transparency=3),
            "P4+alphas": save(few, "PNG", transparency=few_alphas),
            "RGB": save(rgb, "PNG"),
            "RGBA": save(Image.fromarray(rgba), "PNG"),
            "I;16": save(Image.fromarray(wide[..., 0]), "PNG"),
            "RGB16": png(wide[..., :3], 16, 2),
            "LA16": png(wide[..., :2], 16, 4),
            "RGBA16": png(wide, 16, 6),
        }
        yield from ((f"PNG {mode}", data) for mode, data in modes.items())
    rgba = scene(61, 43, 77, 4)
    for depth in (1, 2, 4):
        yield f"PNG grey {depth} bit", png(rgba[..., :1] >> (8 - depth), depth, 0)
    for depth, kind, channels in [(8, 2, 3), (8, 6, 4), (4, 0, 1), (16, 2, 3)]:
        samples = rgba[..., :channels].astype(np.uint16) * 257 if depth == 16 else rgba[..., :channels] >> (8 - depth)
        yield "PNG interlaced", png(samples, depth, kind, interlaced=True)
    short = chunk(b"PLTE", bytes(range(60)))
    yield "PNG short palette", png(rgba[..., :1] % 20, 8, 3, short)
    wide = np.random.default_rng(5).integers(0, 600, (20, 30, 1)).astype(np.uint16)
    yield "PNG I;16+trns", png(wide, 16, 0, chunk(b"tRNS", b"\0\x07"))
    yield "PNG RGB+trns", png(rgba[..., :3], 8, 2, chunk(b"tRNS", b"\0\x07\0\x07\0\x07"))


def oriented():
    """EXIF's eight orientations, and XMP's."""
    image = Image.fromarray(scene(41, 27, 5, 3))
    for tag in range(8, 0, -1):
        exif = Image.Exif()
        exif[274] = tag
        yield "PNG exif", save(image, "PNG", exif=exif)
        yield "WebP exif", save(image, "WEBP", lossless=True, exif=exif)
        yield "TIFF orientation", save(image, "TIFF", tiffinfo={274: tag})
        yield "JPEG exif", save(image, "JPEG", exif=exif, subsampling=0, quality=95)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    yield "WebP xmp", save(image, "WEBP", lossless=True, xmp=xmp)
    yield "JPEG xmp", save(image, "JPEG", xmp=xmp, subsampling=0)
    itxt = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    yield "PNG xmp", png(scene(41, 27, 5, 3), 8, 2, itxt)


def bitmaps():
    for number, (width, height) in enumerate(SIZES[::4]):
        rgba = scene(width, height, 200 + number, 4)
        rgb = Image.fromarray(rgba[..., :3])
        for image in [rgb, rgb.convert("L"), rgb.convert("1"), rgb.quantize(100), Image.fromarray(rgba)]:
            yield f"BMP {image.mode}", save(image, "BMP")
        levels = rgba[..., :3].astype(np.uint16) >> 3
        five = (levels[..., 0] << 10 | levels[..., 1] << 5 | levels[..., 2]).astype("<u2")
        yield "BMP 16 bit", bmp(five, 0, b"")
        five6 = (levels[..., 0] << 11 | levels[..., 1].astype(np.uint16) << 6 | levels[..., 2]).astype("<u2")
        yield "BMP 565", bmp(five6, 3, struct.pack("<3I", 0xF800, 0x07E0, 0x001F))


def bmp(words, compression, masks):
    height, width = words.shape
    rows = b"".join(row.tobytes().ljust((width * 2 + 3) // 4 * 4, b"\0") for row in words[::-1])
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, compression, len(rows), 0, 0, 0, 0) + masks
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(rows), 0, 0, 14 + len(header)) + header + rows


def gifs():
    for number, (width, height) in enumerate(SIZES[::3]):
        rgb = Image.fromarray(scene(width, height, 300 + number, 3))
        palette = rgb.quantize(90)
        yield "GIF P", save(palette, "GIF")
        yield "GIF L", save(rgb.convert("L"), "GIF", interlace=0)
        yield "GIF transparent", save(palette, "GIF", transparency=5)
        frames = [Image.fromarray(scene(width, height, 400 + i, 3)).quantize(40) for i in range(3)]
        yield "GIF animated", save(frames[0], "GIF", save_all=True, append_images=frames[1:])
        for transparency in ({}, {"transparency": 5}):
            data = bytearray(save(palette, "GIF", **transparency))
            # The frame moves to (3, 2) of a screen that is larger, or too small for it.
            for grown in (9, 0):
                data[6:10] = struct.pack("<HH", width + grown, height + grown)
                at = data.index(b"," + struct.pack("<HHHH", *(0, 0) if grown else (3, 2), width, height))
                data[at + 1:at + 5] = struct.pack("<HH", 3, 2)
                yield "GIF offset", bytes(data)


def webps():
    for number, (width, height) in enumerate(SIZES[::3]):
        rgba = scene(width, height, 500 + number, 4)
        rgb = Image.fromarray(rgba[..., :3])
        yield "WebP lossless", save(rgb, "WEBP", lossless=True)
        yield "WebP lossless RGBA", save(Image.fromarray(rgba), "WEBP", lossless=True, exact=True)
        for quality in (80, 10, 100):
            yield "WebP lossy", save(rgb, "WEBP", quality=quality)
        yield "WebP lossy RGBA", save(Image.fromarray(rgba), "WEBP", quality=80)
        yield "WebP animated", save(rgb, "WEBP", lossless=True, save_all=True, append_images=[rgb.rotate(180)])


def jxls():
    import pillow_jxl  # noqa: F401, teaches Pillow JPEG XL, by libjxl

    for number, (width, height) in enumerate(SIZES[::3]):
        rgba = scene(width, height, 900 + number, 4)
        rgb = Image.fromarray(rgba[..., :3])
        yield "JXL", save(rgb, "JXL", lossless=True)
        yield "JXL L", save(rgb.convert("L"), "JXL", lossless=True)
        yield "JXL RGBA", save(Image.fromarray(rgba), "JXL", lossless=True)
        yield "JXL boxed", save(rgb, "JXL", lossless=True, use_container=True)
        for quality in (90, 30):
            yield "JXL lossy", save(rgb, "JXL", quality=quality)
    y, x = np.mgrid[0:270, 0:300]
    slopes = np.stack([x // 8, y // 8, (x + y) // 16], -1).astype(np.uint8)
    yield "JXL groups", save(Image.fromarray(slopes), "JXL", lossless=True)


# TIFF by hand

def tiff(samples, bits, photometric, order="<", planar=False, tags=()):
    """(h, w, c) samples of `bits` bits in one strip (or one a plane), uncompressed, as bytes go in `order`."""
    height, width, channels = samples.shape
    planes = [samples[..., c:c + 1] for c in range(channels)] if planar else [samples]
    if bits > 8:
        strips = [plane.astype(plane.dtype.newbyteorder(order)).tobytes() for plane in planes]
    else:
        strips = [b"".join(pack(plane, bits)) for plane in planes]
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    offsets = list(itertools.accumulate((len(s) for s in strips[:-1]), initial=8))
    fields = {256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric], 273: offsets,
              277: [channels], 278: [height], 279: [len(s) for s in strips], 284: [2 if planar else 1],
              339: [kind] * channels, **dict(tags)}
    body = b"".join(strips)
    body += b"\0" * (len(body) % 2)
    directory, overflow = [], b""
    at = 8 + len(body) + 2 + 12 * len(fields) + 4
    for tag, values in sorted(fields.items()):
        code, width_of = ("I", 4) if tag in (273, 279) else ("H", 2)
        data = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(data) > 4:
            entry = struct.pack(order + "I", at + len(overflow))
            overflow += data
        else:
            entry = data.ljust(4, b"\0")
        directory.append(struct.pack(order + "HHI", tag, 4 if width_of == 4 else 3, len(values)) + entry)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(body))
    return head + body + struct.pack(order + "H", len(fields)) + b"".join(directory) + b"\0" * 4 + overflow


def tiffs():
    for number, (width, height) in enumerate(SIZES[::5]):
        rgba = scene(width, height, 600 + number, 4)
        rgb = Image.fromarray(rgba[..., :3])
        wide = np.random.default_rng(number).integers(0, 700, (height, width)).astype(np.uint16)
        images = {"RGB": rgb, "RGBA": Image.fromarray(rgba), "L": rgb.convert("L"), "1": rgb.convert("1"),
                  "LA": Image.fromarray(rgba[..., [0, 3]], "LA"), "P": rgb.quantize(77), "CMYK": Image.fromarray(rgba, "CMYK"),
                  "I;16": Image.fromarray(wide), "I": Image.fromarray(wide.astype(np.int32) - 200),
                  "F": Image.fromarray(wide.astype(np.float32) / 2 - 50)}
        for mode, image in images.items():
            yield f"TIFF {mode}", save(image, "TIFF")
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
            for mode in ("RGB", "L", "P", "1", "I;16"):
                yield f"TIFF {compression}", save(images[mode], "TIFF", compression=compression)
        for order in "<>":
            sixteen = np.random.default_rng(number).integers(0, 65536, (height, width, 4)).astype(np.uint16)
            yield "TIFF RGB16", tiff(sixteen[..., :3], 16, 2, order)
            yield "TIFF RGBA16", tiff(sixteen, 16, 2, order, tags=[(338, [2])])
            yield "TIFF CMYK16", tiff(sixteen, 16, 5, order)
            yield "TIFF I;16", tiff(wide[..., None], 16, 1, order)
            yield "TIFF planar", tiff(rgba[..., :3], 8, 2, order, planar=True)
        yield "TIFF signed 16", tiff((wide[..., None].astype(np.int16) - 300), 16, 1)
        yield "TIFF white is zero", tiff(rgba[..., :1], 8, 0)
        yield "TIFF premultiplied", tiff(rgba, 8, 2, tags=[(338, [1])])
        yield "TIFF I;16 white is zero", tiff(wide[..., None], 16, 0)
        yield "TIFF RGBX", tiff(rgba, 8, 2, tags=[(338, [0])])
        for bits in (1, 2, 4):
            for photometric in (0, 1):
                yield f"TIFF grey {bits} bit", tiff(rgba[..., :1] >> (8 - bits), bits, photometric)
            colours = np.random.default_rng(9).integers(0, 65536, 3 << bits).tolist()
            yield f"TIFF palette {bits} bit", tiff(rgba[..., :1] >> (8 - bits), bits, 3, tags=[(320, colours)])


def jpeg_segments(data):
    """A JPEG's tables, as TIFF's tag 347 has them, and the rest of it, both as streams of their own."""
    tables, rest, at = b"", b"", 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2:at + 4], "big")
        if data[at + 1] in (0xDB, 0xC4):
            tables += data[at:end]
        elif not 0xE0 <= data[at + 1] <= 0xEF:
            rest += data[at:end]
        at = end
    return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + rest + data[at:]


def tiff_jpeg(image, photometric, chunk, tiled, shared, order="<", **options):
    """JPEG in TIFF: in strips of `chunk` rows, or in square tiles; `shared`: tables stand in the directory."""
    width, height = image.size
    step = chunk if tiled else width
    streams, tables = [], b""
    for top in range(0, height, chunk):
        for left in range(0, width, step):
            part = image.crop((left, top, left + step, top + chunk if tiled else min(top + chunk, height)))
            data = save(part, "JPEG", **options)
            if shared:
                tables, data = jpeg_segments(data)
            streams.append(data)
    samples = len(image.getbands())
    sampling = {0: [1, 1], 1: [2, 1], 2: [2, 2]}[options.get("subsampling", 0)]
    offsets = list(itertools.accumulate((len(s) for s in streams[:-1]), initial=8))
    fields = {256: ("H", [width]), 257: ("H", [height]), 258: ("H", [8] * samples), 259: ("H", [7]),
              262: ("H", [photometric]), 277: ("H", [samples]), 284: ("H", [1])}
    if photometric == 6:
        fields[530] = ("H", sampling)
    if shared:
        fields[347] = ("B", list(tables))
    lengths = [len(stream) for stream in streams]
    if tiled:
        fields |= {322: ("H", [chunk]), 323: ("H", [chunk]), 324: ("I", offsets), 325: ("I", lengths)}
    else:
        fields |= {273: ("I", offsets), 278: ("H", [chunk]), 279: ("I", lengths)}
    body = b"".join(streams)
    body += b"\0" * (len(body) % 2)
    at, directory, overflow = 8 + len(body) + 2 + 12 * len(fields) + 4, b"", b""
    for tag, (code, values) in sorted(fields.items()):
        data = struct.pack(f"{order}{len(values)}{code}", *values)
        entry = data.ljust(4, b"\0")
        if len(data) > 4:
            entry = struct.pack(order + "I", at + len(overflow))
            overflow += data + b"\0" * (len(data) % 2)
        directory += struct.pack(order + "HHI", tag, {"B": 7, "H": 3, "I": 4}[code], len(values)) + entry
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(body))
    return head + body + struct.pack(order + "H", len(fields)) + directory + b"\0" * 4 + overflow


def tiff_jpegs():
    for number, (width, height) in enumerate(SIZES[::4]):
        rgba = scene(width, height, 800 + number, 4)
        rgb = Image.fromarray(rgba[..., :3])
        for tiled, chunk in ((False, height), (False, 16), (True, 32)):
            for shared in (False, True):
                how = {"tiled": tiled, "chunk": chunk, "shared": shared, "order": "<>"[number % 2]}
                for subsampling, name in enumerate(["4:4:4", "4:2:2", "4:2:0"]):
                    yield f"TIFF JPEG {name}", tiff_jpeg(rgb, 6, subsampling=subsampling, **how)
                # A progressive stream's tables are its own: of shared ones it would make something broken.
                if not shared:
                    yield "TIFF JPEG progressive", tiff_jpeg(rgb, 6, subsampling=2, progressive=True, **how)
                yield "TIFF JPEG grey", tiff_jpeg(rgb.convert("L"), 1, **how)
                yield "TIFF JPEG white is zero", tiff_jpeg(rgb.convert("L"), 0, **how)
                yield "TIFF JPEG RGB", tiff_jpeg(rgb, 2, keep_rgb=True, **how)
                yield "TIFF JPEG CMYK", tiff_jpeg(Image.fromarray(rgba, "CMYK"), 5, **how)
        yield "TIFF JPEG by libtiff", save(rgb, "TIFF", compression="jpeg")
        yield "TIFF JPEG grey by libtiff", save(rgb.convert("L"), "TIFF", compression="jpeg")


def pnms():
    """Raw and plain, of every number of levels that is treated in its own way."""
    for number, (width, height) in enumerate(SIZES[::5]):
        rgb = scene(width, height, 900 + number, 3)
        wide = np.random.default_rng(number).integers(0, 65536, (height, width, 3))
        wide[np.random.default_rng(number).random(wide.shape) < 0.3] //= 200
        head = f"# made here\n{width} {height}"
        bits = Image.fromarray(rgb).convert("1")
        yield "PBM", save(bits, "PPM")
        ones = 1 - np.asarray(bits).astype(int)
        yield "PBM plain", f"P1 {head}\n{chr(10).join(''.join(map(str, row)) for row in ones)}\n".encode()
        for levels in (1, 7, 100, 255, 256, 1023, 4095, 65535):
            for channels, raw, plain, name in ((1, "P5", "P2", "PGM"), (3, "P6", "P3", "PPM")):
                samples = wide[..., :channels] % (levels + 1)
                file = f"{raw} {head} {levels}\n".encode() + samples.astype("u1" if levels < 256 else ">u2").tobytes()
                yield f"{name}{' 16 bit' * (levels > 255)}", file
                text = " ".join(map(str, samples.reshape(-1).tolist()))
                yield f"{name} plain{' 16 bit' * (levels > 255)}", f"{plain} {head} {levels}\n{text}\n".encode()


# JPEG by hand

def sampled(data, factors, width, height):
    """A JPEG whose frame header says another size and other sampling factors of the first component.

    Where both have as many blocks in a unit, and as many units, the file stays valid; its blocks come elsewhere.
    """
    data, at = bytearray(data), 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(data[at + 2:at + 4], "big")
    data[at + 5:at + 9] = struct.pack(">HH", height, width)
    data[at + 11] = factors
    return bytes(data)


def unfinished(data, scans):
    """The first scans of a progressive JPEG, as a writer leaves it who stops there."""
    at = 0
    for _ in range(scans + 1):
        at = data.index(b"\xff\xda", at + 1)
    return data[:at] + b"\xff\xd9"


def jpegs():
    for number, (width, height) in enumerate(SIZES[2::2]):
        rgba = scene(width, height, 700 + number, 4)
        rgb = Image.fromarray(rgba[..., :3])
        for subsampling, name in enumerate(["4:4:4", "4:2:2", "4:2:0"]):
            yield f"JPEG {name}", save(rgb, "JPEG", subsampling=subsampling, quality=90)
            coarse = save(rgb, "JPEG", subsampling=subsampling, quality=5)
            yield f"JPEG coarse {name}", coarse
            progressive = save(rgb, "JPEG", subsampling=subsampling, progressive=True, quality=85)
            yield f"JPEG progressive {name}", progressive
            for scans in (1, 3, 6):
                yield f"JPEG unfinished {name}", unfinished(progressive, scans)
        for progressive in (False, True):
            wide = save(rgb, "JPEG", subsampling=1, progressive=progressive)
            yield "JPEG 4:4:0" + " progressive" * progressive, sampled(wide, 0x12, height, width)
        square = save(rgb, "JPEG", subsampling=2)
        yield "JPEG 4:1:1", sampled(square, 0x41, width * 2, (height + 1) // 2)
        yield "JPEG restarts", save(rgb, "JPEG", subsampling=2, restart_marker_rows=1)
        yield "JPEG grey", save(rgb.convert("L"), "JPEG", quality=90)
        yield "JPEG progressive grey", save(rgb.convert("L"), "JPEG", quality=90, progressive=True)
        yield "JPEG RGB", save(rgb, "JPEG", keep_rgb=True, quality=90)
        cmyk = save(Image.fromarray(rgba, "CMYK"), "JPEG", quality=90)
        yield "JPEG CMYK", cmyk
        # Adobe's marker ends with the colour transform: 2 makes YCCK of the same samples.
        transform = cmyk.index(b"Adobe") + 11
        yield "JPEG YCCK", cmyk[:transform] + b"\2" + cmyk[transform + 1:]


def everything():
    for kind in (pngs, oriented, bitmaps, gifs, webps, tiffs, jpegs, tiff_jpegs, pnms, jxls):
        yield from kind()
