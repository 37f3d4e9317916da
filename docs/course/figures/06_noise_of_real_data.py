"""Figure of chapter 6: draws with independent and with causal noise, and files of digits."""

import lzma
import warnings

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image
from style import BLUE, GREY, SKY, finish, save

import wellposed as wp

SIDE, LATENTS = 16, 4


def patches(name):
    """Cut a photograph of scikit-learn into grey squares, in random order: shape (n, 256)."""
    photo = load_sample_image(name).mean(axis=2)
    height, width = (size // SIDE * SIDE for size in photo.shape)
    rows = photo[:height, :width].reshape(height // SIDE, SIDE, width // SIDE, SIDE)
    rows = rows.swapaxes(1, 2).reshape(-1, SIDE * SIDE)
    return np.random.default_rng(0).permutation(rows)


def drawn_before(r):
    """Residuals at the left, upper left, above and upper right; zero outside."""
    padded = np.pad(r, ((0, 0), (1, 0), (1, 1)))
    views = padded[:, 1:, :-2], padded[:, :-1, :-2], padded[:, :-1, 1:-1], padded[:, :-1, 2:]
    return np.stack(views, axis=-1)


def draw_causal(r, n_draws, rng):
    """Fit a regression of each residual on the neighbours drawn before it, and draw."""
    before = drawn_before(r)
    draws = np.zeros((n_draws, SIDE, SIDE))
    for i, j in np.ndindex(SIDE, SIDE):
        weights = np.linalg.lstsq(before[:, i, j], r[:, i, j], rcond=None)[0]
        scale = np.std(r[:, i, j] - before[:, i, j] @ weights)
        location = drawn_before(draws)[:, i, j] @ weights
        draws[:, i, j] = location + scale * rng.standard_normal(n_draws)
    return draws


def fitted(rows, noise):
    """Train one VAE of the digits; the noise is the only difference."""
    return wp.VAE(
        10,
        noise=noise,
        image_shape=(8, 8),
        hidden=(128,),
        prior="standard",
        kl_warmup=8,
        max_epochs=20,
        random_state=0,
    ).fit(rows)


def draw_pictures(area):
    """Draw rows of patches: data, means, means with either noise."""
    photo = patches("flower.jpg")
    ppca = wp.PPCA(LATENTS).fit(photo)
    residuals = (photo - ppca.inverse_transform(ppca.transform(photo))).reshape(-1, SIDE, SIDE)
    rng = np.random.default_rng(1)
    means = ppca.inverse_transform(rng.standard_normal((5, LATENTS))).reshape(-1, SIDE, SIDE)
    independent = rng.standard_normal((5, SIDE, SIDE)) * residuals.std(axis=0)
    by_contrast = photo[np.argsort(photo.std(axis=1))]
    rows = {
        "data": by_contrast[[500, 700, 800, 900, 1000]],
        "means μ(z)": means,
        "draws,\nindependent": means + independent,
        "draws,\ncausal": means + draw_causal(residuals, 5, rng),
    }
    for line, (name, images) in zip(area.subplots(4, 5), rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, image in zip(line, images, strict=True):
            ax.imshow(np.reshape(image, (SIDE, SIDE)), cmap="gray", vmin=0, vmax=170)
            ax.set(xticks=[], yticks=[])


def draw_files(ax):
    """Draw the bits a pixel of files of held-out digits, beside the bounds of their models."""
    X = wp.datasets.load_digits().values
    train, test = X[:1437], X[1437:]
    sizes = {"xz, no model": (None, len(lzma.compress(np.ascontiguousarray(test).tobytes())))}
    for name, noise in (
        ("independent", wp.noise.DiscretizedLogistic(17)),
        ("causal", wp.noise.CausalLogistic(levels=17, window=3, mixture=3)),
    ):
        vae = fitted(train, noise)
        bound = -vae.elbo(test).mean(dtype=float) / 64 / np.log(2)
        sizes[name] = bound, len(wp.compress(vae, test))
    for i, (name, (bound, size)) in enumerate(sizes.items()):
        bits = 8 * size / test.size
        ax.bar(i, bits, color=GREY if bound is None else SKY, label="file" if i == 1 else None)
        ax.text(i, bits + 0.05, f"{bits:.2f}", ha="center", fontsize=9)
        if bound is None:
            print(f"{name:12} {size:6d} bytes, {bits:.3f} bits a pixel")
        else:
            print(f"{name:12} {size:6d} bytes, {bits:.3f} bits a pixel, −ELBO {bound:.3f}")
            ax.plot(i, bound, "_", color=BLUE, markersize=38)
    ax.plot([], [], color=BLUE, label="−ELBO")
    ax.set_xticks(range(len(sizes)), list(sizes))
    finish(ax, "360 held-out digits, lossless", ylabel="bits a pixel", ylim=(0, 4))


warnings.simplefilter("ignore", wp.WellposedWarning)  # constant pixels, few epochs
figure = Figure((9.0, 3.9), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1.2, 1))
left.suptitle("Squares of a photograph, and draws", fontsize=10.5, fontweight="bold")
draw_pictures(left)
draw_files(right.subplots())
save(figure, __file__)
