from ._mlp import MLP, MakeMLP, Linear
def resolve(name, *, role, hidden, activation, image_shape):
    return MakeMLP(hidden, activation) if name=="mlp" else name
def make_checked(maker, n_in, n_out, *, key):
    return maker(n_in, n_out, key=key)
