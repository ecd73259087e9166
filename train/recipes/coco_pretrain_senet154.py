# First stage of challenge_senet154 and challenge_open_images: SENet-154, DCN, SyncBN on COCO.
# Source, schedule and manifest: see coco_pretrain; each backbone has a COCO stage of its own.
_base_ = ["./_base_/models/senet154_dcn.py", "./_base_/coco_data.py", "./_base_/schedule_90k.py"]

label_space = "coco"
sync_bn = True
optim_wrapper = dict(clip_grad=dict(max_norm=35, norm_type=2))
