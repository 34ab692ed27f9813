"""What the `openai` engine is made of: prompts, requests, the client, the ledger, answers, agreement."""
