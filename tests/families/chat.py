"""Chat templates that give the prompts of the released checkpoints, written for these tests."""

from __future__ import annotations

# "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>what moves?<|im_end|>\n<|im_start|>assistant\n"
QWEN_TURNS = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}"
    "<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Qwen2-VL and Qwen2.5-VL put a system turn first; Qwen3-VL does not.
QWEN_TURNS_WITH_SYSTEM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    + QWEN_TURNS
)
# Qwen2.5-Omni; with audio in video the audio has no mark of its own
QWEN_OMNI_TURNS = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif part.type == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% elif part.type == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}"
    "<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

_MEDIA_FIRST = (
    "{% for part in message.content if part.type == 'image' %}<image>\n{% endfor %}"
    "{% for part in message.content if part.type == 'video' %}<video>\n{% endfor %}"
)
_THEN_TEXT = "{% for part in message.content if part.type == 'text' %}{{ part.text }}{% endfor %}"

# "<|im_start|>user <video>\nwhat moves?<|im_end|><|im_start|>assistant\n"
LLAVA_ONEVISION = (
    "{% for message in messages %}<|im_start|>{{ message.role }} "
    + _MEDIA_FIRST
    + _THEN_TEXT
    + "<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# "USER: <image>\nwhat moves? ASSISTANT:"
VICUNA = (
    "{% for message in messages %}{{ message.role.upper() }}: "
    + _MEDIA_FIRST
    + _THEN_TEXT
    + " {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
# "<|im_start|>user\n<IMG_CONTEXT>\nwhat moves?<|im_end|>\n<|im_start|>assistant\n"
INTERNVL = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    + _MEDIA_FIRST.replace("<image>", "<IMG_CONTEXT>")
    + _THEN_TEXT
    + "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# "<|im_start|>User:<image>what moves?<end_of_utterance>\nAssistant:"
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}:"
    "{% if message.content[0].type == 'text' %} {% endif %}"
    "{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% else %}<{{ part.type }}>{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
