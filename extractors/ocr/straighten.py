"""Upright and straight: line direction, skew, and the outline of a page in a photo.

Every step is a 3 x 3 homography, so that a box found on the straightened image can be put back.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from extractors.ocr.ink import Marks, paper

SKEW_RANGE = 20  # degrees to either side
SKEW_IGNORED = 0.2  # degrees; both engines read lines as crooked as that
NEIGHBOURS = 3  # of each letter, that vote on the direction of the lines
SHARE_OUTSIDE = 0.03  # of the letter-like marks; a page outline that loses more has cut the page


@dataclass(frozen=True)
class Straight:
    """A straightened image and the homography that took the upright image's pixels to its own."""

    image: np.ndarray
    homography: np.ndarray

    def back(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """The box around `box` (x0, y0, x1, y1) in pixels of the upright image."""
        x0, y0, x1, y1 = box
        corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float64)
        points = cv2.perspectiveTransform(corners, np.linalg.inv(self.homography))[0]
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def turned(image: np.ndarray, rotation: int) -> np.ndarray:
    """The image turned clockwise by `rotation` degrees, a multiple of 90."""
    return np.ascontiguousarray(np.rot90(image, -rotation // 90))


def runs_down(marks: Marks) -> bool:
    """Whether the lines run up and down the image: letters stand closer along a line than across lines.

    The nearest neighbours of each mark vote (docstrum, O'Gorman 1993). Projection alone takes typewritten
    pages for turned ones: their letters stand in columns too.
    """
    from scipy.spatial import KDTree

    known = min(NEIGHBOURS + 1, len(marks))
    _, near = KDTree(marks.centres).query(marks.centres, k=known)
    apart = np.abs(marks.centres[near[:, 1:]] - marks.centres[:, None, :])
    return bool(np.mean(apart[:, :, 1] > apart[:, :, 0]) > 0.5)


def skew(marks: Marks) -> float:
    """How far level lines lean, in degrees, clockwise positive.

    The sharpest projection profile wins (Postl 1986): along the true direction letters pile up in rows.
    """
    coarse = np.arange(-SKEW_RANGE, SKEW_RANGE + 0.1, 0.5)
    angle = max(coarse, key=lambda a: _sharpness(marks, a))
    fine = np.arange(angle - 0.5, angle + 0.51, 0.1)
    return float(max(fine, key=lambda a: _sharpness(marks, a)))


def _sharpness(marks: Marks, angle: float) -> float:
    """Sum of squares of the profiles of the marks' tops and feet along lines of that angle."""
    x, y, wide, high = marks.boxes.T
    lean = (x + wide / 2) * np.tan(np.radians(angle))
    return _crowding(y - lean, marks.size / 4) + _crowding(y + high - lean, marks.size / 4)


def _crowding(positions: np.ndarray, step: float) -> float:
    bins = ((positions - positions.min()) / max(step, 1.0)).astype(np.int64)
    return float(np.square(np.bincount(bins).astype(np.float64)).sum())


def deskewed(image: np.ndarray, angle: float) -> Straight:
    """The image turned back by `angle` degrees (clockwise positive); nothing is cut off."""
    if abs(angle) < SKEW_IGNORED:
        return Straight(image, np.eye(3))
    high, wide = image.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0), [0, 0, 1]])
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    new_wide, new_high = round(wide * cosine + high * sine), round(high * cosine + wide * sine)
    turn[0, 2] += (new_wide - wide) / 2
    turn[1, 2] += (new_high - high) / 2
    return _warped(image, turn, (new_wide, new_high))


def _warped(image: np.ndarray, homography: np.ndarray, size: tuple[int, int]) -> Straight:
    warped = cv2.warpPerspective(image, homography, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Straight(warped, homography)


def page_outline(grey: np.ndarray, marks: Marks) -> np.ndarray | None:
    """The page's corners (4 x 2: top left, top right, bottom right, bottom left) in a photo.

    None when there is no bright four-cornered sheet, or when it would leave letters outside.
    """
    bright = paper(grey)
    scale = bright.shape[0] / grey.shape[0]
    _, sheet = cv2.threshold(bright, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(sheet, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    share = cv2.contourArea(hull) / bright.size
    if len(corners) != 4 or not 0.2 < share < 0.97:
        return None
    corners = _clockwise(corners.astype(np.float32) / scale)
    return corners if _share_outside(corners, marks) <= SHARE_OUTSIDE else None


def _clockwise(corners: np.ndarray) -> np.ndarray:
    """The corners from the top left on."""
    total, difference = corners.sum(axis=1), corners[:, 0] - corners[:, 1]
    order = [total.argmin(), difference.argmax(), total.argmax(), difference.argmin()]
    return corners[order]


def _share_outside(corners: np.ndarray, marks: Marks) -> float:
    if not len(marks):
        return 0.0
    inside = [cv2.pointPolygonTest(corners, (float(x), float(y)), False) >= 0 for x, y in marks.centres]
    return 1.0 - float(np.mean(inside))


def dewarped(grey: np.ndarray, corners: np.ndarray) -> Straight:
    """The sheet between the corners as a flat rectangle."""
    top_left, top_right, bottom_right, bottom_left = corners
    wide = max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))
    high = max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right))
    size = (max(1, round(float(wide))), max(1, round(float(high))))
    square = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    return _warped(grey, cv2.getPerspectiveTransform(corners.astype(np.float32), square), size)


def after(first: Straight, second: Straight) -> Straight:
    """Both steps as one: `second` was made from the image of `first`."""
    return Straight(second.image, second.homography @ first.homography)
