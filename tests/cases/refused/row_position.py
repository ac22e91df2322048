# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["position"] = df.index

# %%
model = LogisticRegression().fit(df[["position"]], df["churned"])

# refused
# 2:1 row-position
