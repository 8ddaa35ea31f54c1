# Written by tools/namespaces.py from the `@export` marks; do not edit.
# ruff: noqa: I001, N813, RUF100
# fmt: off
"""`tf.image`."""

from relight.v1._missing import (
    missing,
)
from relight.v1.functions.array_gather import (
    extract_image_patches, extract_patches,
)
from relight.v1.functions.image import (
    central_crop, crop_to_bounding_box, flip_left_right, flip_up_down, pad_to_bounding_box,
    random_flip_left_right, random_flip_up_down, resize_image_with_crop_or_pad,
    resize_image_with_crop_or_pad as resize_with_crop_or_pad, rot90, transpose,
    transpose as transpose_image,
)
from relight.v1.functions.image_adjust import (
    adjust_brightness, adjust_contrast, adjust_gamma, adjust_hue, adjust_jpeg_quality,
    adjust_saturation, convert_image_dtype, decode_and_crop_jpeg, decode_bmp, decode_gif,
    decode_image, decode_jpeg, decode_png, encode_jpeg, encode_png, extract_jpeg_shape,
    grayscale_to_rgb, hsv_to_rgb, is_jpeg, per_image_standardization, random_brightness,
    random_contrast, random_hue, random_jpeg_quality, random_saturation, rgb_to_grayscale,
    rgb_to_hsv, rgb_to_yiq, rgb_to_yuv, yiq_to_rgb, yuv_to_rgb,
)
from relight.v1.functions.image_boxes import (
    combined_non_max_suppression, crop_and_resize, draw_bounding_boxes, extract_glimpse,
    non_max_suppression, non_max_suppression_overlaps, non_max_suppression_padded,
    non_max_suppression_with_scores, sample_distorted_bounding_box,
)
from relight.v1.functions.image_quality import (
    image_gradients, psnr, sobel_edges, ssim, ssim_multiscale, total_variation,
)
from relight.v1.functions.image_resize import (
    ResizeMethod, resize_area, resize_bicubic, resize_bilinear, resize_image_with_pad,
    resize_images, resize_images as resize, resize_nearest_neighbor,
)
from relight.v1.functions.random import (
    random_crop,
)

__getattr__ = missing("tf.image")

__all__ = [
    "ResizeMethod", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue",
    "adjust_jpeg_quality", "adjust_saturation", "central_crop", "combined_non_max_suppression",
    "convert_image_dtype", "crop_and_resize", "crop_to_bounding_box", "decode_and_crop_jpeg",
    "decode_bmp", "decode_gif", "decode_image", "decode_jpeg", "decode_png",
    "draw_bounding_boxes", "encode_jpeg", "encode_png", "extract_glimpse",
    "extract_image_patches", "extract_jpeg_shape", "extract_patches", "flip_left_right",
    "flip_up_down", "grayscale_to_rgb", "hsv_to_rgb", "image_gradients", "is_jpeg",
    "non_max_suppression", "non_max_suppression_overlaps", "non_max_suppression_padded",
    "non_max_suppression_with_scores", "pad_to_bounding_box", "per_image_standardization", "psnr",
    "random_brightness", "random_contrast", "random_crop", "random_flip_left_right",
    "random_flip_up_down", "random_hue", "random_jpeg_quality", "random_saturation", "resize",
    "resize_area", "resize_bicubic", "resize_bilinear", "resize_image_with_crop_or_pad",
    "resize_image_with_pad", "resize_images", "resize_nearest_neighbor",
    "resize_with_crop_or_pad", "rgb_to_grayscale", "rgb_to_hsv", "rgb_to_yiq", "rgb_to_yuv",
    "rot90", "sample_distorted_bounding_box", "sobel_edges", "ssim", "ssim_multiscale",
    "total_variation", "transpose", "transpose_image", "yiq_to_rgb", "yuv_to_rgb",
]
