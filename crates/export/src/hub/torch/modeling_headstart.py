"""A network of torchvision, frozen, and a head as its classifier; written by Headstart's `export`. `config.json` names the network.

Open it with `pipeline("image-classification", model=FOLDER, trust_remote_code=True)`.
"""

import torchvision
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ImageClassifierOutput


class HeadstartConfig(PretrainedConfig):
    model_type = "headstart_torchvision"


class HeadstartForImageClassification(PreTrainedModel):
    config_class = HeadstartConfig
    main_input_name = "pixel_values"

    def __init__(self, config):
        super().__init__(config)
        self.network = torchvision.models.get_model(config.torchvision, weights=None, num_classes=config.num_labels, **config.arguments)
        # A ReLU between the head and the mean.
        if config.torchvision.startswith("squeezenet"):
            self.network.classifier[2] = nn.Identity()
        self.post_init()

    def forward(self, pixel_values, **others):
        return ImageClassifierOutput(logits=self.network(pixel_values))
