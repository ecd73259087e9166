#!/usr/bin/env bash
# Trains on one or several nodes of a SLURM cluster. Copy it, edit the #SBATCH lines, and submit with
# the arguments of `lvis-merge train`:
#
#   sbatch slurm.sh r50_eql_rfs --manifest /data/manifests/v05 --image-root /data/coco \
#       --work-dir /scratch/runs/r50_eql_rfs
#
# --work-dir has to be the same folder on all nodes and after a requeue. Leave --gpus, --nodes and
# --resume out: this script sees to them. total_batch of the recipe (16) is shared by all GPUs.
#
# How it stops and goes on:
# - Before the time limit SLURM signals this script (--signal below); it passes SIGTERM to the ranks,
#   which finish their step, save and end with 143. Then the job is put back in the queue.
# - Preemption in a partition with PreemptMode=REQUEUE: SLURM sends SIGTERM to the ranks, gives them
#   GraceTime seconds, and puts the job back itself. With GraceTime=0 the run goes on from its last
#   regular checkpoint.
# - `scancel JOB` saves too, as far as the cluster's KillWait (30 s as a rule) allows, and ends it.
# - Every start has --resume: it goes on where the folder has a checkpoint, and starts anew else.
#
#SBATCH --job-name=lvis-merge
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=6
#SBATCH --mem=0
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# B: this script alone gets it; 180 seconds: a step, a checkpoint, and the rest
#SBATCH --signal=B:USR1@180
set -euo pipefail

if [[ $# -eq 0 ]]; then
    echo "usage: sbatch slurm.sh RECIPE --manifest DIR --image-root DIR --work-dir DIR [...]" >&2
    exit 2
fi
: "${SLURM_JOB_ID:?this script is for sbatch; see torchrun.sh for machines without SLURM}"

# where the ranks meet: the first node, at a port that two jobs on one node do not share
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
MASTER_ADDR=${hosts%%$'\n'*}
MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
export MASTER_ADDR MASTER_PORT
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# One task per GPU, each with the variables that torchrun would set; each sees all GPUs of its node
# and takes number LOCAL_RANK. Without torchrun between, signals reach the ranks directly. When one
# rank has ended the others have 300 seconds: they end by themselves, the first may still be saving.
# shellcheck disable=SC2016  # the tasks expand these, not this script
srun --kill-on-bad-exit=0 --wait=300 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" bash -c '
    export RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID WORLD_SIZE=$SLURM_NTASKS
    export LOCAL_WORLD_SIZE=$((SLURM_NTASKS / SLURM_NNODES))
    exec python -m lvis_merge train "$@" --resume
' train "$@" &
step=$!

requeue=false
out_of_time() {
    signalled=true requeue=true
    # without --batch the job's steps get it, this script does not
    scancel --signal=TERM "$SLURM_JOB_ID" || true
}
trap out_of_time USR1
trap signalled=true TERM # scancel and preemption reach the ranks as well: wait for them

signalled=true
while $signalled; do # a trapped signal ends `wait`, not the step
    signalled=false status=0
    wait "$step" || status=$?
done

if $requeue && [[ $status -eq 143 ]]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
