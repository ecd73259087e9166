# LVIS Challenge 2019 winner's best single model: SENet-154 with 20,000 Open Images images.
# Source: Tan et al., Equalization Loss (CVPR 2020), appendix; 31.4 mask AP on v0.5 val, one scale;
# 32.3 with boxes of several. Their 20,000 images and 110 categories were not published.
# Ours besides: on Open Images, only categories that people verified on the image are taught as
# negatives (verified_sources=() switches that off); and images are repeated by the frequencies on
# LVIS: counted with Open Images, a rare category's few images with masks would not be repeated.
_base_ = "./challenge_senet154.py"

train_dataloader = dict(sampler=dict(rfs_counts="lvis"), dataset=dict(sources=None))
model = dict(roi_head=dict(verified_sources=("open_images",)))
published = dict(_delete_=True, ap=31.4, source="Tan et al. 2020, appendix, v0.5; second-hand")
