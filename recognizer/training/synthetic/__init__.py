"""Motion that few people were recorded doing, made of real poses or of a jointed body."""
