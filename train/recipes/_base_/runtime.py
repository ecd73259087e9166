# How a run is run: loop, logging, checkpoints, devices. Every recipe begins with this.
# Counts of iterations are optimizer steps; with `accumulate = k`, k batches each.

default_scope = "mmdet"
label_space = "lvis"
device = "cuda"  # cuda | cpu | any: a GPU where there is one
seed = 0
accumulate = 1  # batches per optimizer step
amp = False
sync_bn = False  # True: every BN of a run on several GPUs becomes SyncBN
starts_from = None  # the recipe whose checkpoint --init wants
published = None
# What `lvis-merge test` sets in model.test_cfg.rcnn. The paper's figures are without a bound; the
# one in test_cfg keeps evaluations of half-trained models quick.
testing = dict(pre_nms_topk=None)

train_cfg = dict(type="ResumableIterLoop", val_interval=10_000)  # a schedule sets max_iters
val_cfg = dict(type="StoppableValLoop")

default_hooks = dict(
    param_scheduler=dict(type="ParamSchedulerHook"),
    # losses, learning rate, times: bar or lines, log file, TensorBoard
    logger=dict(type="TrainingLogHook", interval=50),
    # the first metric that an evaluation gives decides which checkpoint is the best
    checkpoint=dict(
        type="AtomicCheckpointHook",
        interval=2_000,
        keep_last=2,
        save_best=["lvis/segm_AP", "lvis/bbox_AP"],
    ),
    # mmengine's own that the two above stand in for, or that an endless sampler has no use for
    runtime_info=None,
    timer=None,
    sampler_seed=None,
)
custom_hooks = []

env_cfg = dict(
    cudnn_benchmark=False,  # with images of many sizes it would search again and again
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
vis_backends = [dict(type="TensorboardVisBackend")]
visualizer = dict(type="Visualizer", vis_backends=vis_backends)
log_processor = dict(by_epoch=False)
log_level = "INFO"
load_from = None
resume = False
