"""Fine-tuning: the services that run jobs, and the life of a job."""
