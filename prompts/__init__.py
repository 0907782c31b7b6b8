"""Versioned prompt files and their loader."""

from smart_reach.prompts.loader import Prompt, load_prompt, prompt_names

__all__ = ["Prompt", "load_prompt", "prompt_names"]
