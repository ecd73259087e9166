# Mask R-CNN R50, sigmoid cross-entropy: the baseline of the R50 set.
# Source: Tan et al., Equalization Loss (CVPR 2020); code and figures of eql.detectron2, v0.5 val,
# masks. The paper itself has 20.1: the authors' code adds scale jitter, a class-specific mask head
# and Caffe's ImageNet weights, all of which are here.
_base_ = ["./_base_/models/r50.py", "./_base_/lvis_data.py", "./_base_/schedule_90k.py"]

published = dict(
    _delete_=True,
    ap=21.2,
    ap_r=3.2,
    ap_c=21.1,
    ap_f=28.7,
    box_ap=20.8,
    source="eql.detectron2, v0.5",
)
