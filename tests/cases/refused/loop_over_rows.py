# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
total = []
for number, row in df.iterrows():
    total.append(row["visits"] + len(total))
df["total"] = total

# %%
model = LogisticRegression().fit(df[["total"]], df["churned"])

# refused
# 2:2 loop-over-rows
