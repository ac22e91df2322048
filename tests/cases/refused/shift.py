# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["before"] = df["visits"].shift(1)

# %%
model = LogisticRegression().fit(df[["before"]], df["churned"])

# refused
# 2:1 shift
