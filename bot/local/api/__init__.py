"""OpenAI's API on this machine: files, fine-tune jobs, models and answers, under /v1.

What is sent and answered is described by OpenAI's specification; errors have its form.
"""
