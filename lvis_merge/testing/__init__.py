"""The test-time half of the recipe: pools, experts, the ensemble, submission, the road map."""
