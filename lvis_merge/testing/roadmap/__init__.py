"""The road map: what each trick brought, beside the published figures."""
