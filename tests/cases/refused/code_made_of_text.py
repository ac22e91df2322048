# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
exec("df['double'] = df['visits'] * 2")

# %%
model = LogisticRegression().fit(df[["visits"]], df["churned"])

# refused
# 2:1 exec
