"""Mixtures of Gaussians that are fitted to points."""

import warnings

import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

RIDGE = 1e-6  # added to variances: points may all lie in a plane


def fit_mixture(z: Tensor, components: int) -> MixtureSameFamily:
    """The mixture of Gaussians with full covariances that fits points best, by EM.

    Of one component it is the Gaussian with their mean and covariance.

    Args:
        z: Points, shape ``(N, D)``.
        components: How many Gaussians, at most one a point. From where EM starts, the default
            generator of torch says.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture  # here: it takes a second that few wait for

    points = z.double().cpu().numpy()
    seed = int(torch.randint(2**31, ()))
    method = GaussianMixture(min(components, len(z)), reg_covar=RIDGE, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it fits, if not quite best
        method.fit(points)
    weights, means = (torch.from_numpy(array).to(z) for array in (method.weights_, method.means_))
    # Its root in double precision: in single, a flat covariance may seem to have none.
    root = torch.linalg.cholesky(torch.from_numpy(method.covariances_)).to(z)
    gaussians = MultivariateNormal(means, scale_tril=root, validate_args=False)
    return MixtureSameFamily(Categorical(weights, validate_args=False), gaussians)
