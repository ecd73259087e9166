# Road map on a CPU: as mini_open_images; tail is what fewer than 50 images of the merge show.
_base_ = "./mini_open_images.py"

model = dict(roi_head=dict(bbox_head=dict(loss_cls=dict(counts="merged"))))
