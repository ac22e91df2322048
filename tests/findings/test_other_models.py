"""Leakage of models that are trained without scikit-learn's contract: PyTorch by hand, boosters, Keras' own split."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PROGRAMS = runpy.run_path(str(Path(__file__).with_name("programs.py")))
XY, SPLIT, SCALED, NETWORK = (PROGRAMS[name] for name in ("XY", "SPLIT", "SCALED", "NETWORK"))
findings_of, rules_of = PROGRAMS["findings_of"], PROGRAMS["rules_of"]

TORCH = """import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x):
        return self.layer(x)
criterion = nn.BCEWithLogitsLoss()
"""
NET = "net = Net().to('cpu')\noptimizer = torch.optim.Adam(net.parameters())\n"
SEQUENTIAL = (
    "net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))\noptimizer = torch.optim.SGD(net.parameters())\n"
)
TENSORS = """xt, yt = torch.tensor(np.array(X_train)), torch.tensor(np.array(y_train))
xv, yv = torch.tensor(np.array(X_test)), torch.tensor(np.array(y_test))
"""
STEP = """    optimizer.zero_grad()
    loss = criterion(net(xt), yt)
    loss.backward()
    optimizer.step()
"""
TRAIN = "for epoch in range(9):\n" + STEP
CLOSURE = """def closure():
    optimizer.zero_grad()
    loss = criterion(net(xt), yt)
    loss.backward()
    return loss
for epoch in range(9):
    optimizer.step(closure)
"""
TEST = "accuracy_score(y_test, net(xv).detach().numpy() > 0)\n"
LOADERS = """train_loader = DataLoader(TensorDataset(xt, yt), batch_size=32)
test_loader = DataLoader(TensorDataset(xv, yv), batch_size=32)
"""
EPOCHS = """def train(model, loader):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
def evaluate(model, loader):
    right = 0
    for xb, yb in loader:
        right += (model(xb).argmax(1) == yb).sum().item()
    return right
for epoch in range(3):
    train(net, train_loader)
    print(evaluate(net, test_loader))
"""
PARTS = """data = TensorDataset(torch.tensor(np.array(X)), torch.tensor(np.array(y)))
first, second = random_split(data, [800, 200])
train_loader, test_loader = DataLoader(first), DataLoader(second)
"""
XGB = """import xgboost as xgb
train_rows, test_rows = xgb.DMatrix(X_train, label=y_train), xgb.DMatrix(X_test, label=y_test)
"""
IMAGES = "from keras.preprocessing.image import ImageDataGenerator\n"
FLOW = (
    "images.fit(X)\n" + SPLIT + "net = Sequential()\n"
    "net.fit_generator(images.flow(X_train, y_train), epochs=9)\nnet.evaluate(X_test, y_test)\n"
)
BATCHES = """def batches(x, y):
    while True:
        at = np.random.randint(0, len(x), 64)
        yield x.values[at], y.values[at]
net = Sequential()
net.fit_generator(batches(X_train, y_train))
net.evaluate(X_test, y_test)
"""
LGB = "import lightgbm as lgb\nbooster = lgb.train({}, lgb.Dataset(X_train, y_train), 99)\n"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(XY + SCALED + SPLIT + TORCH + NET + TENSORS + TRAIN + TEST, id="a module of the notebook"),
        pytest.param(XY + SCALED + SPLIT + TORCH + SEQUENTIAL + TENSORS + TRAIN + TEST, id="a module of the library"),
        pytest.param(XY + SCALED + SPLIT + TORCH + NET + TENSORS + LOADERS + EPOCHS, id="functions and loaders"),
        pytest.param(
            XY + SCALED + SPLIT + TORCH + NET + TENSORS + CLOSURE + TEST,
            id="a closure that an optimizer is stepped with",
        ),
        pytest.param(XY + SCALED + TORCH + NET + PARTS + EPOCHS, id="a random split of a dataset"),
        pytest.param(
            XY + SCALED + SPLIT + XGB + "booster = xgb.train({}, train_rows, 99)\n"
            "accuracy_score(y_test, booster.predict(test_rows) > 0.5)\n",
            id="XGBoost's training function",
        ),
        pytest.param(
            XY + SCALED + SPLIT + LGB + "accuracy_score(y_test, booster.predict(X_test) > 0.5)\n",
            id="LightGBM's training function",
        ),
        pytest.param(
            XY + SCALED + "net = Sequential()\nnet.fit(X, y, validation_split=0.2)\n", id="rows that Keras holds out"
        ),
        pytest.param(
            XY + IMAGES + "images = ImageDataGenerator(featurewise_center=True)\n" + FLOW,
            id="a mean of all images is taken off",
        ),
        pytest.param(
            "full = pd.concat([df, pd.read_csv('test.csv')])\nhere = full[:891]\n"
            "full['a'] = full['a'].fillna(full['a'].mean())\n"
            "X, y = full[['a', 'b']][0:891], here['y']\n" + SPLIT + BATCHES,
            id="a generator of batches of the first of two tables",
        ),
    ],
)
def test_preprocessing_leakage(code: str) -> None:
    assert "preprocessing-leakage" in rules_of(code)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            XY + SPLIT + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\n"
            "X_test = scaler.transform(X_test)\n" + TORCH + NET + TENSORS + LOADERS + EPOCHS,
            id="scaled after the split, and tested in each epoch",
        ),
        pytest.param(XY + TORCH + NET + PARTS + EPOCHS, id="a random split of a dataset as it is"),
        pytest.param(
            XY + SPLIT + TORCH + NET + TENSORS + CLOSURE + TEST, id="a closure that learns from rows as they are"
        ),
        pytest.param(
            XY + SCALED + SPLIT + TORCH + NET + TENSORS + "print(net(xt), net(xv))\n", id="a module that is not trained"
        ),
        pytest.param(
            XY + SPLIT + XGB + "booster = xgb.train({}, train_rows, 99, evals=[(test_rows, 'test')])\n"
            "accuracy_score(y_test, booster.predict(test_rows) > 0.5)\n",
            id="boosting reports on the test rows and does not stop by them",
        ),
        pytest.param(
            XY + SPLIT + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\n"
            "X_test = scaler.transform(X_test)\nnet = Sequential()\n"
            "net.fit(X_train, y_train, validation_split=0.2)\nnet.evaluate(X_test, y_test)\n",
            id="rows that Keras holds out of the training rows",
        ),
        pytest.param(
            XY + SCALED + "net = Sequential()\nnet.fit(X, y, validation_split=0.0)\n", id="Keras holds nothing out"
        ),
        pytest.param(
            XY + IMAGES + "images = ImageDataGenerator(featurewise_center=False, rotation_range=9)\n" + FLOW,
            id="images are turned",
        ),
        pytest.param(
            "full = pd.concat([df, pd.read_csv('test.csv')])\nfull['a'] = full['a'].fillna(0)\n"
            "X, y = full[['a', 'b']][0:891], full[:891]['y']\n" + SPLIT + BATCHES,
            id="a generator of batches that are filled by a constant",
        ),
    ],
)
def test_no_leakage(code: str) -> None:
    assert not {rule for rule in rules_of(code) if rule.endswith("-leakage")}


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            XY + "X, y = SMOTE().fit_resample(X, y)\n" + SPLIT + TORCH + NET + TENSORS + TRAIN + TEST,
            id="made of all rows",
        ),
        pytest.param(
            XY
            + TORCH
            + NET
            + "xt, yt = torch.tensor(np.array(X)), torch.tensor(np.array(y))\n"
            + TRAIN
            + "accuracy_score(y, net(xt).detach().numpy() > 0)\n",
            id="tested on the rows it learned from",
        ),
        pytest.param(
            XY + "X, y = SMOTE().fit_resample(X, y)\nnet = Sequential()\nnet.fit(X, y, validation_split=0.2)\n",
            id="made of all rows, of which Keras holds some out",
        ),
    ],
)
def test_overlap_leakage(code: str) -> None:
    assert "overlap-leakage" in rules_of(code)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            TORCH + TENSORS + NET + TRAIN + TEST + SEQUENTIAL + TRAIN + TEST, id="two modules on the same rows"
        ),
        pytest.param(
            XGB + "booster = xgb.train({}, train_rows, 99, evals=[(test_rows, 'test')], early_stopping_rounds=9)\n"
            "accuracy_score(y_test, booster.predict(test_rows) > 0.5)\n",
            id="boosting stops by the test rows",
        ),
    ],
)
def test_multi_test_leakage(code: str) -> None:
    assert "multi-test-leakage" in rules_of(XY + SPLIT + code)


def test_the_finding_points_at_the_call_that_the_module_learns_by() -> None:
    code = XY + SCALED + SPLIT + TORCH + NET + TENSORS + TRAIN + TEST
    found = [finding for finding in findings_of(code) if finding.rule == "preprocessing-leakage"]

    assert [code.splitlines()[finding.line - 1].strip() for finding in found] == ["loss = criterion(net(xt), yt)"]
