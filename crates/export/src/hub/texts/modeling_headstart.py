"""A network of texts, frozen, and a head on what it gives; written by Headstart's `export`. `config.json` says of what it is made.

Open it with `pipeline("text-classification", model=FOLDER, trust_remote_code=True)`.
"""

import torch
from torch import nn
from transformers import MODEL_FOR_TEXT_ENCODING_MAPPING, AutoConfig, AutoModel, AutoModelForTextEncoding, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid}


def dense(layers):
    """Each as [inputs, outputs, has a bias, what comes after it]."""
    parts = [(nn.Linear(inputs, outputs, bias=bias), ACTIVATIONS.get(after, nn.Identity)()) for inputs, outputs, bias, after in layers]
    return nn.ModuleList(linear for linear, _ in parts), [after for _, after in parts]


class HeadstartConfig(PretrainedConfig):
    model_type = "headstart"


class HeadstartForSequenceClassification(PreTrainedModel):
    config_class = HeadstartConfig

    def __init__(self, config):
        super().__init__(config)
        own = AutoConfig.for_model(**config.network)
        # Of a network of two halves, the encoder.
        kind = AutoModelForTextEncoding if type(own) in MODEL_FOR_TEXT_ENCODING_MAPPING else AutoModel
        self.network = kind.from_config(own)
        if "pooler" not in sum((said["pooling"] for said in config.features), []):
            self.network.pooler = None
        behind = [layer for said in config.features for layer in said["dense"]]
        self.head, self.after = dense(config.layers)
        if behind:
            self.sentence = nn.ModuleDict()
            self.sentence["dense"], self.behind = dense(behind)
        self.post_init()

    def forward(self, input_ids, attention_mask=None, token_type_ids=None, **others):
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        if attention_mask.sum(1).max() > self.config.max_tokens:
            raise ValueError(f"texts have {self.config.max_tokens} tokens at most here; give the pipeline or the tokenizer truncation=True")
        given = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        out = self.network(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True, **given)
        x = torch.cat([self.feature(said, out, attention_mask) for said in self.config.features], 1)
        for linear, after in zip(self.head, self.after):
            x = after(linear(x))
        return SequenceClassifierOutput(logits=x)

    def feature(self, said, out, mask):
        """(texts, width) of hidden states (texts, tokens, width). Padding, on the right, plays no part."""
        tokens = out.last_hidden_state if said["layer"] == -1 else out.hidden_states[said["layer"]]
        there = mask.unsqueeze(-1).bool()
        pool = {
            "cls": lambda: tokens[:, 0],
            "last": lambda: tokens[torch.arange(len(tokens), device=tokens.device), mask.sum(1) - 1],
            "mean": lambda: tokens.masked_fill(~there, 0).sum(1) / there.sum(1),
            "max": lambda: tokens.masked_fill(~there, -torch.inf).amax(1),
            "pooler": lambda: out.pooler_output,
        }
        x = torch.cat([pool[name]() for name in said["pooling"]], 1)
        for linear, after in zip(self.sentence["dense"], self.behind) if said["dense"] else ():
            x = after(linear(x))
        return nn.functional.normalize(x, dim=1) if said["normalized"] else x
