"""Pictures to learn from: crops of two open data sets, and scenes drawn by rule.

A few hundred micrographs are far too few to train on, so most pictures are drawn:
occluding textured shapes ("dead leaves"), radial forms, strokes and letters, noise
with a natural spectrum. Every scene is a function of (seed, index) alone.
"""
import colorsys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

CANVAS = 192  # scenes are drawn larger than they are kept: the final shrink smooths the edges
SIDE = 128  # what the teachers see; the student sees half of it
BANK = 256  # side of a texture in the bank
HALF = [v // 2 for v in range(256)]


def unit(field):
    """Stretch an array to 0..255, leaving out the extreme percent at either end."""
    low, high = np.percentile(field, (1, 99))
    return (np.clip((field - low) / (high - low + 1e-9), 0, 1) * 255).astype(np.uint8)


def spectrum_noise(rng, power, stretch=1.0, turn=0.0):
    """Noise whose amplitude falls as 1 / frequency ** power; `stretch` makes it grain or fur."""
    fy, fx = np.meshgrid(np.fft.fftfreq(BANK), np.fft.rfftfreq(BANK), indexing="ij")
    u = fx * np.cos(turn) + fy * np.sin(turn)
    v = (-fx * np.sin(turn) + fy * np.cos(turn)) * stretch
    amplitude = 1.0 / np.maximum(np.hypot(u, v), 1.0 / BANK) ** power
    phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
    return np.fft.irfft2(amplitude * np.exp(1j * phase), s=(BANK, BANK))


def cells(rng):
    """Distance to the nearest, or between the two nearest, of scattered points (Worley)."""
    points = rng.uniform(0, BANK, (int(rng.integers(15, 120)), 2)).astype(np.float32)
    grid = np.mgrid[0:BANK:2, 0:BANK:2].reshape(2, -1).T.astype(np.float32)
    square = ((grid[:, None] - points[None]) ** 2).sum(-1)
    near = np.sqrt(np.partition(square, 1, axis=1)[:, :2])
    field = near[:, 0] if rng.random() < 0.5 else near[:, 1] - near[:, 0]
    small = Image.fromarray(unit(field.reshape(BANK // 2, BANK // 2)))
    return np.asarray(small.resize((BANK, BANK), Image.BILINEAR), np.float64)


def waves(rng):
    """Stripes, checks or rings, bent by smooth noise."""
    y, x = np.mgrid[0:BANK, 0:BANK].astype(np.float64)
    bend = spectrum_noise(rng, 2.0)
    bend *= rng.uniform(0, 14) / (bend.std() + 1e-9)
    turn, step = rng.uniform(0, np.pi), rng.uniform(5, 40)
    along = x * np.cos(turn) + y * np.sin(turn) + bend
    across = -x * np.sin(turn) + y * np.cos(turn) + bend
    kind = rng.integers(4)
    if kind == 0:
        return np.sin(2 * np.pi * along / step)
    if kind == 1:
        return np.sign(np.sin(2 * np.pi * along / step)) * np.sign(np.sin(2 * np.pi * across / step))
    if kind == 2:
        return np.sin(2 * np.pi * along / step) + np.sin(2 * np.pi * across / (step * rng.uniform(0.6, 1.6)))
    return np.sin(2 * np.pi * np.hypot(x - rng.uniform(0, BANK), y - rng.uniform(0, BANK) + bend) / step)


def texture_bank(rng, count=360):
    """(count, BANK, BANK) u8 scalar fields, coloured when they are used."""
    bank = np.empty((count, BANK, BANK), np.uint8)
    for i in range(count):
        kind = rng.random()
        if kind < 0.45:
            field = spectrum_noise(rng, rng.uniform(0.5, 2.4))
        elif kind < 0.6:
            field = spectrum_noise(rng, rng.uniform(0.8, 1.8), rng.uniform(3, 12), rng.uniform(0, np.pi))
        elif kind < 0.8:
            field = cells(rng)
        else:
            field = waves(rng)
        bank[i] = unit(field)
    return bank


def ramp(rng, hue=None):
    """(256, 3) u8: neighbouring hues from dark to bright, as lit natural surfaces have them."""
    hue = rng.random() if hue is None else hue
    stops = int(rng.integers(2, 5))
    spread = rng.choice([0.02, 0.06, 0.3], p=[0.45, 0.4, 0.15])
    saturation = rng.beta(2, 1.6)
    values = np.sort(np.clip(rng.uniform(0.15, 1.0) + rng.normal(0, 0.28, stops), 0.02, 1))
    colours = [
        colorsys.hsv_to_rgb((hue + rng.normal(0, spread)) % 1, np.clip(saturation + rng.normal(0, 0.12), 0, 1), v)
        for v in values
    ]
    colours = np.array(colours) * 255
    if rng.random() < 0.3:
        colours = colours[::-1]
    at = np.linspace(0, stops - 1, 256)
    return np.stack([np.interp(at, np.arange(stops), colours[:, c]) for c in range(3)], 1).astype(np.uint8)


def outline(rng, kind=None):
    """(n, 2) points of a closed shape that fits the unit circle."""
    kind = rng.integers(5) if kind is None else kind
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    if kind == 0:  # a wobbly blob
        radius = np.ones(40)
        for k in range(2, 7):
            radius += rng.normal(0, 0.35 / k) * np.cos(k * angle + rng.uniform(0, 6.28))
        radius = np.abs(radius) / np.abs(radius).max()
    elif kind == 1:  # a polygon
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
        radius = np.ones(len(angle))
    elif kind == 2:  # a leaf or a petal
        half = np.linspace(-1, 1, 20)
        wide = rng.uniform(0.15, 0.6) * (1 - half**2) ** rng.uniform(0.5, 1.4) * (1 + rng.uniform(-0.7, 0.7) * half)
        return np.concatenate([np.stack([half, wide], 1), np.stack([half, -wide], 1)[::-1]])
    elif kind == 3:  # a star
        tips = int(rng.integers(4, 14))
        angle = np.linspace(0, 2 * np.pi, 2 * tips, endpoint=False)
        radius = np.where(np.arange(2 * tips) % 2, rng.uniform(0.3, 0.8), 1.0)
    else:  # a disc
        radius = np.ones(40)
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius], 1)


def tilt(rng, squash=0.3):
    """A 2 x 2 matrix: rotation of the plane, seen under a random slant."""
    a, b = rng.uniform(0, 2 * np.pi, 2)
    turn = lambda t: np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    return turn(a) @ np.diag([1, rng.uniform(squash, 1)]) @ turn(b)


def polygon(draw, points, fill):
    draw.polygon(points.ravel().tolist(), fill=fill)


class Painter:
    """Holds the textures and the photographs; `views(index, count)` gives training pictures."""

    def __init__(self, shared, seed):
        self.seed = seed
        rng = np.random.default_rng(seed)
        self.bank = texture_bank(rng)
        # Row h holds 16 ramps around hue h / 128.
        self.ramps = np.stack([[ramp(rng, h / 128) for _ in range(16)] for h in range(128)])
        data = Path(shared) / "data"
        self.micrographs = [Image.open(p).convert("RGB") for p in sorted((data / "bccd").rglob("*.jpg"))]
        # Only the training part of the X-rays: their test part stays unseen.
        self.xrays = [Image.open(p).convert("RGB") for p in sorted((data / "pneumonia_mnist/train").rglob("*.png"))]
        self.fonts = [ImageFont.load_default(size) for size in (16, 28, 48, 80)]

    def views(self, index, count):
        """`count` pictures of one scene, (SIDE, SIDE, 3) u8 each: drawing costs more than looking."""
        rng = np.random.default_rng([self.seed, index])
        scene = self.scene(rng)
        if rng.random() < 0.12:
            # A region of another scene, cut out along the contour of a texture.
            cut = Image.fromarray(np.where(self.field(rng, CANVAS) > rng.integers(60, 200), 255, 0).astype(np.uint8))
            scene.paste(self.scene(rng), mask=cut)
        return [np.asarray(self.look(rng, scene)) for _ in range(count)]

    def ramp(self, rng, hue=None):
        hue = rng.random() if hue is None else hue
        return self.ramps[int(hue * 128) % 128, rng.integers(16)]

    def scene(self, rng):
        kind = rng.random()
        if kind < 0.18:
            return self.photo_crop(rng)
        if kind < 0.23:
            return self.xray(rng)
        canvas = self.backdrop(rng)
        if kind < 0.27:
            return canvas
        if kind < 0.55:
            self.leaves(rng, canvas, int(rng.integers(4, 40)))
        elif kind < 0.84:
            if rng.random() < 0.5:
                self.leaves(rng, canvas, int(rng.integers(3, 22)))
            if rng.random() < 0.4:
                self.strokes(rng, canvas)
            if rng.random() < 0.5:
                canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 6)))
            self.radials(rng, canvas)
        elif kind < 0.93:
            self.strokes(rng, canvas)
            self.leaves(rng, canvas, int(rng.integers(0, 8)))
        else:
            self.letters(rng, canvas)
        return canvas

    def field(self, rng, width, height=None):
        """A crop of a texture, at 1/2 to 2 times its own scale, as (height, width) u8."""
        height = width if height is None else height
        texture = self.bank[rng.integers(len(self.bank))]
        zoom = min(2 ** rng.uniform(-1, 1), BANK / max(width, height))
        w, h = max(1, int(width * zoom)), max(1, int(height * zoom))
        x, y = rng.integers(0, BANK - w + 1), rng.integers(0, BANK - h + 1)
        crop = Image.fromarray(texture[y : y + h, x : x + w])
        return np.asarray(crop.resize((width, height), Image.BILINEAR))

    def photo_crop(self, rng, side=CANVAS):
        photo = self.micrographs[rng.integers(len(self.micrographs))]
        extent = int(480 * rng.uniform(0.12, 1.0))
        x, y = rng.integers(0, photo.width - extent + 1), rng.integers(0, photo.height - extent + 1)
        crop = photo.resize((side, side), Image.BILINEAR, box=(x, y, x + extent, y + extent))
        return self.recolour(rng, crop) if rng.random() < 0.6 else crop

    def xray(self, rng):
        film = self.xrays[rng.integers(len(self.xrays))]
        extent = int(rng.integers(14, 29))
        x, y = rng.integers(0, 29 - extent, 2)
        film = film.resize((CANVAS, CANVAS), Image.BICUBIC, box=(x, y, x + extent, y + extent))
        return Image.fromarray(self.ramp(rng)[np.asarray(film)[..., 0]]) if rng.random() < 0.3 else film

    def recolour(self, rng, image):
        """Turn the hue circle and change the saturation."""
        hsv = np.asarray(image.convert("HSV")).copy()
        hsv[..., 0] += np.uint8(rng.integers(256))
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 2.0), 0, 255).astype(np.uint8)
        return Image.fromarray(hsv, "HSV").convert("RGB")

    def surface(self, rng, width, height, hue=None):
        """A lit, textured piece of RGB, (height, width, 3) u8."""
        if rng.random() < 0.06:
            return np.asarray(self.photo_crop(rng, max(width, height)))[:height, :width]
        level = self.field(rng, width, height).astype(np.float32)
        depth = rng.uniform(0.1, 1.0)
        level = level * depth + rng.uniform(0, 255) * (1 - depth)
        piece = self.ramp(rng, hue)[level.astype(np.uint8)]
        turn = rng.uniform(0, 2 * np.pi)
        light = np.linspace(-1, 1, width)[None] * np.cos(turn) + np.linspace(-1, 1, height)[:, None] * np.sin(turn)
        light = 1 + rng.uniform(0, 0.45) * light
        return np.clip(piece * light[..., None], 0, 255).astype(np.uint8)

    def backdrop(self, rng):
        # Sky and foliage are what most outdoor pictures stand on.
        hue = rng.choice([None, rng.normal(0.27, 0.05) % 1, rng.normal(0.58, 0.04) % 1], p=[0.5, 0.35, 0.15])
        canvas = Image.fromarray(self.surface(rng, CANVAS, CANVAS, hue))
        if rng.random() < 0.3:
            horizon = int(rng.uniform(0.2, 0.8) * CANVAS)
            canvas.paste(Image.fromarray(self.surface(rng, CANVAS, CANVAS - horizon)), (0, horizon))
        if rng.random() < 0.3:
            canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(1, 8)))
        return canvas

    def put(self, rng, canvas, points, hue=None):
        """Fill the polygon `points` (canvas coordinates) with a surface, above a soft shadow."""
        low = np.floor(points.min(0)).astype(int)
        size = np.maximum(np.ceil(points.max(0)).astype(int) - low, 2)
        size = np.minimum(size, BANK)
        mask = Image.new("L", tuple(size.tolist()))
        polygon(ImageDraw.Draw(mask), points - low, 255)
        if rng.random() < 0.4:
            shade = mask.filter(ImageFilter.BoxBlur(2)).point(HALF)
            canvas.paste((0, 0, 0), (int(low[0]) + 3, int(low[1]) + 3), shade)
        piece = Image.fromarray(self.surface(rng, int(size[0]), int(size[1]), hue))
        canvas.paste(piece, (int(low[0]), int(low[1])), mask)

    def leaves(self, rng, canvas, count):
        """Occluding shapes, large to small, with the power law of sizes found in photographs."""
        kind = int(rng.integers(5)) if rng.random() < 0.5 else None
        hue = rng.random() if rng.random() < 0.5 else None
        sizes = np.sort(np.minimum(8 / rng.uniform(0.004, 1, count) ** 0.6, 100))[::-1]
        for r in sizes:
            points = outline(rng, kind) * r @ tilt(rng).T + rng.uniform(0, CANVAS, 2)
            self.put(rng, canvas, points, None if hue is None else (hue + rng.normal(0, 0.03)) % 1)

    def radials(self, rng, canvas):
        """One large or several small radial forms, alike in build and colour."""
        count = 1 if rng.random() < 0.55 else int(rng.integers(2, 9))
        reach = rng.uniform(45, 95) if count == 1 else rng.uniform(14, 45)
        hue, tips, kind = rng.random(), int(rng.choice([3, 5, 6, 8, 13, 21, 34])), rng.random()
        for _ in range(count):
            centre = rng.normal(CANVAS / 2, 22, 2) if count == 1 else rng.uniform(10, CANVAS - 10, 2)
            r = reach * rng.uniform(0.8, 1.2)
            if rng.random() < 0.5:
                self.stem(rng, canvas, centre)
            if kind < 0.7:
                self.petals(rng, canvas, centre, r, hue, tips)
            elif kind < 0.9:
                self.rosette(rng, canvas, centre, r, hue)
            else:
                self.burst(rng, canvas, centre, r, hue)

    def stem(self, rng, canvas, centre):
        foot = (centre[0] + rng.normal(0, 30), CANVAS + 20)
        green = colorsys.hsv_to_rgb(rng.normal(0.27, 0.05) % 1, rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.7))
        colour = tuple(int(255 * c) for c in green)
        ImageDraw.Draw(canvas).line([tuple(centre), foot], fill=colour, width=int(rng.integers(2, 8)))

    def petals(self, rng, canvas, centre, r, hue, tips):
        slant, petal, colours = tilt(rng, 0.45), outline(rng, 2), self.ramp(rng, hue)
        rings, lean = int(rng.integers(1, 4)), rng.uniform(0.25, 0.6)
        fat = rng.uniform(0.6, 1.5) * np.pi / tips / max(np.abs(petal[:, 1]).max(), 1e-3)
        texture, draw = self.field(rng, 16), ImageDraw.Draw(canvas)
        for ring in range(rings):
            length = r * (1 - 0.28 * ring)
            for k in rng.permutation(tips):
                angle = 2 * np.pi * (k + 0.5 * ring) / tips + rng.normal(0, 0.06)
                turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                shape = (petal * [0.5, fat * 0.5] + [0.5, 0]) * length * rng.uniform(0.9, 1.08)
                tone = int(np.clip(90 + 100 * lean * np.cos(angle) + texture[k % 16, ring] * 0.35, 0, 255))
                # A darker rim and a paler middle tell the petals apart.
                polygon(draw, shape @ turn.T @ slant.T + centre, tuple((colours[tone] * 0.75).astype(int).tolist()))
                inner = (shape - [length * 0.06, 0]) * [0.94, 0.8]
                polygon(draw, inner @ turn.T @ slant.T + centre, tuple(colours[tone].tolist()))
        if rng.random() < 0.8:
            disc = outline(rng, 4) * r * rng.uniform(0.12, 0.5) @ slant.T + centre
            warm = rng.normal(0.12, 0.04) % 1 if rng.random() < 0.6 else rng.random()
            self.put(rng, canvas, disc, warm)

    def rosette(self, rng, canvas, centre, r, hue):
        """Blobs within blobs, each turned and shaded: folded, rose-like forms."""
        colours, slant, draw = self.ramp(rng, hue), tilt(rng, 0.6), ImageDraw.Draw(canvas)
        count, drift = int(rng.integers(6, 26)), rng.uniform(0.1, 0.35)
        for k in range(count):
            size = r * (1 - k / count)
            angle = 2.4 * k + rng.normal(0, 0.3)
            offset = drift * size * np.array([np.cos(angle), np.sin(angle)])
            shape = (outline(rng, 0) * size * 0.8 + offset) @ slant.T + centre
            tone = int(np.clip(rng.normal(70 + 130 * ((k * 7) % 5) / 5, 25), 0, 255))
            polygon(draw, shape, tuple(colours[tone].tolist()))
            polygon(draw, shape + [size * 0.05, size * 0.07], tuple((colours[tone] * 0.85).astype(int).tolist()))

    def burst(self, rng, canvas, centre, r, hue):
        """Many thin rays with tips: seed heads, spines, sparks."""
        colours, draw = self.ramp(rng, hue), ImageDraw.Draw(canvas)
        for _ in range(int(rng.integers(40, 220))):
            angle, length = rng.uniform(0, 2 * np.pi), r * rng.beta(4, 1.5)
            tip = centre + length * np.array([np.cos(angle), np.sin(angle)])
            colour = tuple(colours[rng.integers(256)].tolist())
            draw.line([tuple(centre), tuple(tip)], fill=colour, width=1)
            dot = rng.uniform(0.5, 3)
            draw.ellipse([tip[0] - dot, tip[1] - dot, tip[0] + dot, tip[1] + dot], fill=colour)

    def strokes(self, rng, canvas):
        """Curved lines with a common direction: grass, branches, hair, wires."""
        colours, draw, turn = self.ramp(rng), ImageDraw.Draw(canvas), rng.uniform(0, np.pi)
        spread, width = rng.uniform(0.05, 1.5), rng.uniform(1, 9)
        t = np.linspace(0, 1, 9)[:, None]
        for _ in range(int(rng.integers(5, 60))):
            start, angle, length = rng.uniform(0, CANVAS, 2), turn + rng.normal(0, spread), rng.uniform(20, 180)
            ahead = np.array([np.cos(angle), np.sin(angle)])
            side = np.array([-ahead[1], ahead[0]]) * rng.normal(0, 0.25)
            path = start + length * (t * ahead + t**2 * side)
            thick = max(1, int(width * rng.uniform(0.3, 1)))
            draw.line([tuple(p) for p in path], fill=tuple(colours[rng.integers(256)].tolist()), width=thick)

    def letters(self, rng, canvas):
        draw, colours = ImageDraw.Draw(canvas), self.ramp(rng)
        for _ in range(int(rng.integers(1, 14))):
            word = "".join(chr(c) for c in rng.integers(33, 127, rng.integers(1, 8)))
            at = tuple(rng.uniform(-20, CANVAS - 20, 2))
            draw.text(at, word, tuple(colours[rng.integers(256)].tolist()), self.fonts[rng.integers(len(self.fonts))])

    def look(self, rng, scene):
        """The camera: crop, turn, flip, light, focus, grain; shrinks to SIDE."""
        extent = CANVAS * rng.uniform(0.45, 1.0)
        scene = scene.rotate(rng.normal(0, 18), Image.BILINEAR) if rng.random() < 0.35 else scene
        x, y = rng.uniform(0, CANVAS - extent, 2)
        view = scene.resize((SIDE, SIDE), Image.BICUBIC, box=(x, y, x + extent, y + extent))
        if rng.random() < 0.5:
            view = view.transpose(Image.FLIP_LEFT_RIGHT)
        if rng.random() < 0.2:
            view = view.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 2)))
        if rng.random() < 0.5:
            view = ImageOps.autocontrast(view, cutoff=1, preserve_tone=True)
        for enhance, low, high in (
            (ImageEnhance.Brightness, 0.6, 1.4),
            (ImageEnhance.Contrast, 0.6, 1.5),
            (ImageEnhance.Color, 0.3, 1.6),
        ):
            if rng.random() < 0.6:
                view = enhance(view).enhance(rng.uniform(low, high))
        if rng.random() < 0.05:
            view = view.convert("L").convert("RGB")
        pixels = np.asarray(view).astype(np.float32)
        if rng.random() < 0.5:
            glow = Image.fromarray(self.field(rng, 8)).resize((SIDE, SIDE), Image.BICUBIC)
            pixels *= 1 + rng.uniform(0, 0.7) * (np.asarray(glow, np.float32)[..., None] / 255 - 0.6)
        if rng.random() < 0.5:
            pixels += rng.normal(0, rng.uniform(1, 10), pixels.shape)
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
