# Road map on a CPU: the equalization loss. Tail is what fewer than 50 of LVIS's images show: 57 of
# 96 categories and 10% of the objects (paper: 9%). lambda_=None would take what the world publishes
# as rare and common: 69 categories, 21%.
_base_ = "./mini_bce.py"

eql = dict(_delete_=True, type="EqualizationLoss", manifest="<manifest>", lambda_=0.0136)
model = dict(roi_head=dict(bbox_head=dict(loss_cls=eql)))
