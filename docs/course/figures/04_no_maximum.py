"""Figure of chapter 4: the ELBO without a maximum, constructed and trained, beside a floor."""

import numpy as np
from style import BLUE, GREY, RED, finish, panels, save

from wellposed import experiments

figure, (left, right) = panels()

exact = experiments.divergence(variances=np.geomspace(1e-1, 1e-64, 64))
left.plot(exact.variances, exact.log_likelihood, color=RED, label="log p(x), σ free")
left.plot(exact.variances, exact.elbo, "--", color=RED, label="ELBO, σ free")
left.plot(exact.variances, exact.floored_elbo, color=BLUE, label="ELBO, σ above the floor")
left.axhline(exact.bound, color=GREY, linestyle=":", label="bound with the floor")
finish(
    left,
    "Ten digits, one reproduced: closed form",
    xscale="log",
    xlim=(1e-1, 1e-64),
    ylim=(-230, 500),
    xlabel="ε, noise variance for one digit",
    ylabel="mean over ten digits, nats",
)

trained = experiments.trained_divergence(max_epochs=1000)
epochs = np.arange(1, 1001)
right.plot(epochs, trained.free, color=RED, linewidth=0.8, label="training ELBO, σ free")
right.plot(epochs, trained.floored, color=BLUE, label="training ELBO, σ above the floor")
right.axhline(trained.bound, color=GREY, linestyle=":", label="bound with the floor")
finish(
    right,
    "Ten digits, trained by gradient descent",
    ylim=(-160, 200),
    xlabel="epoch",
    ylabel="mean over ten digits, nats",
)
right.legend(frameon=False, fontsize=8.5, loc="upper left")

print(f"bound {trained.bound:.1f}; free: best {trained.free.max():.1f}, first above the bound in")
print(f"epoch {trained.passed}, smallest σ {trained.smallest_free_scale:.4f} grey levels;")
print(f"floored: best {trained.floored.max():.1f}, smallest σ {trained.smallest_floored_scale:.4f}")
save(figure, __file__)
