# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["mean"] = df["visits"].rolling(3).mean().fillna(0)

# %%
model = LogisticRegression().fit(df[["mean"]], df["churned"])

# refused
# 2:1 rolling
