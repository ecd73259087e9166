# Road map on a CPU, first row: sigmoid cross-entropy, every image once an epoch.
_base_ = [
    "./_base_/road_map_model.py", "./_base_/road_map_data.py", "./_base_/road_map_schedule.py",
]  # fmt: skip

device = "any"
starts_from = "mini_pretrain"
