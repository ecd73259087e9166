# First stage of challenge_baseline: ResNeXt-101-64x4d with DCN and SyncBN on COCO.
# Source: the LVIS Challenge 2019 winner starts from a Mask R-CNN trained on COCO (Tan et al., CVPR
# 2020, appendix). How it was trained was not published: schedule and scales are ours.
# Manifest: build --coco instances_train2017.json --label-space coco, with --holdout of LVIS's val
# and test files: train2017 holds some 15,000 images of LVIS v1 val.
_base_ = ["./_base_/models/x101_dcn.py", "./_base_/coco_data.py", "./_base_/schedule_90k.py"]

label_space = "coco"
sync_bn = True
optim_wrapper = dict(clip_grad=dict(max_norm=35, norm_type=2))
