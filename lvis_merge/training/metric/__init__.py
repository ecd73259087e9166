"""LVIS federated evaluation inside the training loop."""

from lvis_merge.training.metric.image_detections import ImageDetections, detections_of, pack
from lvis_merge.training.metric.lvis_federated import LVISFederatedMetric

__all__ = ["ImageDetections", "LVISFederatedMetric", "detections_of", "pack"]
