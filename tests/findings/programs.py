"""Parts of small notebooks, put together in the tests of the rules, and the findings about them."""

from __future__ import annotations

from nbprod.analysis import analyse
from nbprod.findings import find
from nbprod.model.finding import Finding
from nbprod.notebook import read_text

HEAD = """# %%
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from sklearn.utils import resample
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler
from keras.models import Sequential
from keras.preprocessing.text import Tokenizer
df = pd.read_csv('data.csv')
# %%
"""
XY = "X = df[['a', 'b']]\ny = df['y']\n"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
FIT = "model = LogisticRegression()\nmodel.fit(X_train, y_train)\n"
SCORE = "model.score(X_test, y_test)\n"
SCALED = "X = StandardScaler().fit_transform(X)\n"
NETWORK = "net = Sequential()\nnet.fit(X_train, y_train, epochs=2)\n"


def findings_of(code: str, pandas: int = 3) -> list[Finding]:
    notebook = read_text(HEAD + code, "nb.py")
    return list(find(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}, pandas)))


def rules_of(code: str, pandas: int = 3) -> set[str]:
    return {finding.rule for finding in findings_of(code, pandas)}
