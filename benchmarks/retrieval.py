"""How much of a contract has to be read to see what is asked for: BM25's curve beside the trained retriever's.

    contract-agent benchmark retrieval --gold CUAD_FOLDER

A sentence's worth is its best BM25 score for the names of the clause types, or what the shipped weights say. Whole
contracts are read in the order of worth for their words; a gold span counts as seen when half of it is read. The
shipped weights have seen these contracts: their held-out curve is `selection_recall_at_...` in the model card.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.model_card import Contract, selection
from benchmarks.train_embedded import read_contracts
from extractors.engines.trained.model import ClauseModel
from extractors.retrieve import Index
from schemas.clauses import CUAD_CATEGORIES


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the share of gold spans seen at each share of words, and the same as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark retrieval", description=__doc__.splitlines()[0])
    parser.add_argument("--gold", type=Path, required=True, help="CUAD folder")
    contracts = read_contracts(parser.parse_args(argv).gold)
    model = ClauseModel.load()
    trained = [np.asarray(model.read(contract.text, contract.spans).worth) for contract in contracts]
    result = {"bm25": selection(contracts, [bm25(c) for c in contracts]), "shipped": selection(contracts, trained)}
    for name, curve in result.items():
        print(name, *(f"{key.rsplit('_', 1)[1]} {value:.3f}" for key, value in curve.items()), sep="  ")
    print(json.dumps(result))
    return 0


def bm25(contract: Contract) -> np.ndarray:
    """For each sentence its best BM25 score for the name of any clause type, 0 to 1 within the contract."""
    index = Index(contract.quoted)
    scores = np.max([index.bm25(category.split("_")) for category in CUAD_CATEGORIES], axis=0)
    return scores / max(scores.max(), 1e-9)
