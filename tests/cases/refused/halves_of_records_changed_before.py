# data: patients.csv measurements.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
people = pd.read_csv("data.csv")
measured = pd.read_csv("measurements.csv")

# %%
people["age"] = people["age"].fillna(people["age"].median())
df = people.merge(measured, on="patient")

# %%
model = LogisticRegression().fit(df[["age", "pulse"]], df["risk"])

# refused
# 2:2 join-of-records
