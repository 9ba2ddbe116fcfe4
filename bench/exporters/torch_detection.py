"""Detectors of torch: whole ones of torchvision and transformers with a small
backbone, and the operators at their ends."""
import torch
import torchvision
import transformers
from torch import nn
from torchvision import ops
from torchvision.models import detection


class Backbone(nn.Module):
    def __init__(self, channels=24):
        super().__init__()
        self.out_channels = channels
        self.steps = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, channels, 3, 2, 1),
                          nn.BatchNorm2d(channels), nn.ReLU())
            for before in (3, channels, channels, channels))

    def forward(self, x):
        found = {}
        for i, step in enumerate(self.steps):
            x = step(x)
            if i >= 2:
                found[str(i)] = x
        return found


class Boxes(nn.Module):
    """A detector of torchvision: boxes, scores and labels of one image."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        found = self.model([pixels[0]])
        found = found[1][0] if isinstance(found, tuple) else found[0]
        return found["boxes"], found["scores"], found["labels"]


SMALL = dict(min_size=64, max_size=64)


def anchors(ratios=(0.5, 1.0, 2.0)):
    return detection.anchor_utils.AnchorGenerator(
        ((16,), (32,)), (ratios,) * 2)


def ssd():
    return detection.ssd.SSD(
        Backbone(), detection.anchor_utils.DefaultBoxGenerator([[2], [2]]), (64, 64),
        6, head=detection.ssd.SSDHead([24, 24], [4, 4], 6), topk_candidates=20,
        detections_per_img=10)


def faster_rcnn():
    return detection.FasterRCNN(
        Backbone(), rpn_anchor_generator=anchors(),
        box_roi_pool=ops.MultiScaleRoIAlign(["2", "3"], 3, 2),
        box_head=detection.faster_rcnn.TwoMLPHead(24 * 9, 32),
        box_predictor=detection.faster_rcnn.FastRCNNPredictor(32, 6),
        rpn_pre_nms_top_n_test=20, rpn_post_nms_top_n_test=8,
        box_detections_per_img=5, **SMALL)


def retina():
    return detection.RetinaNet(Backbone(32), 6, anchor_generator=anchors(),
                               topk_candidates=20, detections_per_img=10,
                               score_thresh=0.0, **SMALL)


def fcos():
    return detection.FCOS(
        Backbone(32), 6, topk_candidates=20, detections_per_img=10, score_thresh=0.0,
        anchor_generator=anchors((1.0,)), **SMALL)


def whole(make):
    return lambda: (Boxes(make()), {"pixels": torch.rand(1, 3, 64, 64)})


class Call(nn.Module):
    """A function behind a few weights."""

    def __init__(self, function, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.function = function

    def forward(self, *arguments):
        return self.function(self, *arguments)


def corners(boxes):
    return torch.cat([boxes[..., :2] - boxes[..., 2:].abs(),
                      boxes[..., :2] + boxes[..., 2:].abs()], -1)


def suppressed(self, features):
    """Boxes that survive, in as many rows as data decide."""
    boxes, scores = corners(self.layers[0](features)), self.layers[1](features)[:, 0]
    kept = ops.nms(boxes, scores, 0.3)
    return boxes[kept], scores[kept]


def best(self, features):
    """The rows of the best scores (a head in YOLO's manner)."""
    scores = torch.sigmoid(self.layers[1](features))
    top, where = scores.max(-1).values.topk(5, 0)
    return corners(self.layers[0](features))[where], top


def aligned(self, pixels):
    rois = torch.tensor([[0, 1.5, 2, 20, 17], [0, 8, 8.25, 31, 30]])
    return self.layers[1](ops.roi_align(
        self.layers[0](pixels), rois, 4, 0.5, 2, aligned=True).flatten(1))


def spatial(self, pixels):
    """A spatial transformer: an affine grid that the image decides."""
    theta = self.layers[1](self.layers[0](pixels).mean((2, 3))).view(-1, 2, 3)
    grid = nn.functional.affine_grid(theta, pixels.shape, align_corners=False)
    return self.layers[2](nn.functional.grid_sample(
        pixels, grid, align_corners=False, padding_mode="border"))


def deformed(self, pixels):
    return self.layers[1](ops.deform_conv2d(
        pixels, self.layers[0](pixels), torch.ones(8, 3, 3, 3) / 9, padding=1))


def peaks(self, pixels):
    """Centres as points: maxima of a heat map, and what stands at them."""
    heat = torch.sigmoid(self.layers[1](self.layers[0](pixels)))
    heat = heat * (nn.functional.max_pool2d(heat, 3, 1, 1) == heat)
    top, where = heat.flatten(1).topk(6)
    return top, where % 16, where // 16


def pyramid(self, pixels):
    """A feature pyramid: levels resized to their neighbours and added."""
    levels = list(self.layers[0](pixels).values())
    return tuple(self.layers[1](dict(zip("ab", levels))).values())


def calls(function, layers, *shape):
    key = "pixels" if len(shape) == 4 else "features"
    return lambda: (Call(function, *layers()), {key: torch.randn(*shape)})


def of_transformers(kind, model, **options):
    def make():
        config = getattr(transformers, kind + "Config")(**options)
        config._attn_implementation = "eager"
        network = getattr(transformers, model)(config)
        return Call(lambda self, pixels: (
            lambda found: (found.logits, found.pred_boxes))(
                self.layers[0](pixels)), network), {
            "pixels": torch.randn(1, 3, 64, 64)}
    return make


NETWORKS = {
    "ssd": whole(ssd), "faster_rcnn": whole(faster_rcnn), "retina": whole(retina),
    "fcos": whole(fcos),
    "suppressed": calls(suppressed, lambda: [nn.Linear(16, 4), nn.Linear(16, 1)], 40, 16),
    "best_rows": calls(best, lambda: [nn.Linear(16, 4), nn.Linear(16, 3)], 40, 16),
    "roi_align": calls(aligned, lambda: [
        nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(128, 6)], 1, 3, 32, 32),
    "spatial": calls(spatial, lambda: [
        nn.Conv2d(3, 8, 3), nn.Linear(8, 6), nn.Conv2d(3, 4, 3)], 1, 3, 16, 16),
    "deformed": calls(deformed, lambda: [
        nn.Conv2d(3, 18, 3, 1, 1), nn.Conv2d(8, 4, 1)], 1, 3, 16, 16),
    "peaks": calls(peaks, lambda: [
        nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 2, 1)], 1, 3, 32, 32),
    "pyramid": calls(pyramid, lambda: [
        Backbone(), ops.FeaturePyramidNetwork([24, 24], 16)], 1, 3, 64, 64),
    "yolos": of_transformers(
        "Yolos", "YolosForObjectDetection", hidden_size=64, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=128, image_size=[64, 64],
        num_detection_tokens=10, patch_size=16),
}
