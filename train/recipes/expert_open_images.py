# Expert for the categories shared with Open Images: Faster R-CNN, which learns boxes only.
# Source: the LVIS Challenge 2019 winner adds an Open Images V5 detector's boxes (Tan et al., CVPR
# 2020, appendix). Its model and schedule were not published: ours, with RFS (t = 0.001) and
# verified labels only as negatives.
# Manifest: build --openimages DIR --label-space open_images --images all, with --holdout of LVIS's
# val and test files.
_base_ = [
    "./_base_/models/x101_dcn.py",
    "./_base_/open_images_data.py",
    "./_base_/schedule_180k.py",
]

label_space = "open_images"
sync_bn = True
optim_wrapper = dict(clip_grad=dict(max_norm=35, norm_type=2))
model = dict(
    type="FasterRCNN",
    data_preprocessor=dict(pad_mask=False),
    roi_head=dict(
        verified_sources=("open_images",),
        mask_roi_extractor=None,
        mask_head=None,
    ),
)
