"""What is on a model, so that a test can say that nothing was left there."""

from __future__ import annotations


def everything_on(model) -> dict:
    """Hooks, attributes and attention implementation of the model and everything inside it."""
    names = ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks", "_backward_pre_hooks")
    found = {}
    for path, module in model.named_modules():
        found[path] = ({name: tuple(getattr(module, name)) for name in names}, frozenset(module.__dict__))
        if hasattr(module, "config"):
            found[path] += (module.config._attn_implementation,)
    return found | {"config": model.config.to_dict()}
