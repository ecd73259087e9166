#!/usr/bin/env bash
# Trains on several machines without a scheduler. Run it on each of them, with the same arguments of
# `lvis-merge train`, and NODE_RANK 0, 1, …:
#
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=gpu-a bash torchrun.sh challenge_baseline \
#       --manifest /data/manifests/v05 --image-root /data/coco --work-dir /shared/runs/baseline \
#       --init /shared/runs/coco_pretrain/iter_90000.pth
#
# MASTER_ADDR is the machine of NODE_RANK 0, which the others can reach at MASTER_PORT. Manifest and
# images have to be there on every machine, --work-dir on the first one; to resume, the others have
# to see its checkpoints too, so it is best shared. `lvis-merge train … --gpus 8 --nodes 2
# --node-rank 0 --master gpu-a:29500` does the same without this script, and ends with the ranks'
# exit code; on one machine --gpus is enough.
#
# SIGTERM or Ctrl-C on one machine stops them all: the ranks finish their step, the first one saves,
# and torchrun (which reports 1 for whatever its ranks end with) leaves. The same command carries on:
# --resume is added below, and starts anew where there is no checkpoint yet. For a service manager
# that restarts this script (systemd: Restart=on-failure), that is all there is to preemption.
set -euo pipefail

: "${NNODES:?how many machines}" "${NODE_RANK:?which of them this is, from 0}"
: "${MASTER_ADDR:?host name or address of machine 0}"

# one process per GPU; as long as 300 seconds to save, where torchrun by itself kills after 30
exec torchrun \
    --nnodes="$NNODES" \
    --node-rank="$NODE_RANK" \
    --nproc-per-node="${GPUS:-gpu}" \
    --master-addr="$MASTER_ADDR" \
    --master-port="${MASTER_PORT:-29500}" \
    --shutdown-timeout=300 \
    -m lvis_merge train "$@" --resume
