"""Colours as others see them: without green cones, and in grey; how far apart they then are."""

from itertools import combinations

import numpy as np
from matplotlib.colors import to_rgb

# Machado, Oliveira and Fernandes (2009), deuteranopia of severity 1, for linear RGB.
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
# IEC 61966-2-1: linear sRGB to XYZ, whose second row is luminance.
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
)
VISIONS = ("normal", "deuteranopia", "grey")


def lab(colour, vision):
    """CIELAB coordinates of a colour as it is seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if vision == "deuteranopia":
        linear = np.clip(_DEUTERANOPIA @ linear, 0, 1)
    if vision == "grey":
        linear = np.full(3, linear @ _XYZ[1])
    ratio = _XYZ @ linear / _XYZ.sum(axis=1)
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, vision):
    """Distance of two colours in CIELAB (CIE 1976); about 2.3 can just be told apart."""
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def closest(colours, vision):
    """Smallest distance of any two colours."""
    return min(distance(one, other, vision) for one, other in combinations(colours, 2))
