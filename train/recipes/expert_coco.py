# Expert for the categories shared with COCO: coco_pretrain for twice as long.
# Source: the LVIS Challenge 2019 winner adds a COCO detector's boxes (Tan et al., CVPR 2020,
# appendix: 35.1 after experts and re-scoring, from 32.3). Its model and schedule were not
# published: these are ours. Manifest: as for coco_pretrain.
_base_ = ["./_base_/models/x101_dcn.py", "./_base_/coco_data.py", "./_base_/schedule_180k.py"]

label_space = "coco"
sync_bn = True
optim_wrapper = dict(clip_grad=dict(max_norm=35, norm_type=2))
