# Road map on a CPU: the equalization loss; tail is what the world publishes as rare and common.
_base_ = "./mini_bce.py"

eql = dict(_delete_=True, type="EqualizationLoss", manifest="<manifest>", lambda_=None)
model = dict(roi_head=dict(bbox_head=dict(loss_cls=eql)))
