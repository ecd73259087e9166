# Mask R-CNN of 1 M parameters, EQL and repeat factor sampling: some minutes on two CPU cores.
# Every part of the challenge recipes at the smallest size that learns `lvis-merge demo`'s manifest;
# no figures were published for it.
_base_ = ["./_base_/mini_model.py", "./_base_/mini_data.py", "./_base_/mini_schedule.py"]

device = "any"
