# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["share"] = df["visits"].apply(lambda v: v / df["visits"].sum())

# %%
model = LogisticRegression().fit(df[["share"]], df["churned"])

# refused
# 2:1 learned-in-row-function
