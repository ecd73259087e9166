# Road map on a CPU: as mini_coco_all; ignored background still is negative of tail categories.
# Under EQL background is all that teaches a tail category what it is not.
_base_ = "./mini_coco_all.py"

model = dict(roi_head=dict(ignored_background="tail"))
