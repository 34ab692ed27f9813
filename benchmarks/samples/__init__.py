"""The sample contracts: their sources as HTML and the treatments that make paper and photos of them."""
