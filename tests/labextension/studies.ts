import type {
  IDivergence,
  IFeature,
  IFinding,
  IRefusal,
  IStudy
} from '../../labextension/src/api';

/** What a study may say, beside what every study has. */
export interface ISaid {
  findings?: Partial<IFinding>[];
  refusals?: Partial<IRefusal>[];
  divergences?: Partial<IDivergence>[];
  features?: Partial<IFeature>[];
  version?: number | null;
}

/** A study that says this and nothing else. */
export function studyOf(said: ISaid): IStudy {
  return {
    notebook: 'a.ipynb',
    schema: 1,
    cells: [],
    edges: [],
    findings: (said.findings ?? []).map(finding => ({
      rule: 'a-rule',
      severity: 'warning',
      message: 'a message',
      cell: 0,
      cell_id: '',
      line: 1,
      end_line: 1,
      hint: null,
      related: [],
      ...finding
    })),
    plan: {
      digest: '',
      target: null,
      model: { name: 'model', estimator: '', why: null },
      inputs: [],
      features: [],
      steps: [],
      refusals: (said.refusals ?? []).map(refusal => ({
        cell: 0,
        line: 1,
        construct: 'a-construct',
        reason: 'a reason',
        hint: 'a hint',
        ...refusal
      }))
    },
    plan_error: null,
    check: {
      name: 'a',
      version: said.version ?? null,
      verdict: 'diverges',
      divergences: (said.divergences ?? []).map(divergence => ({
        feature: 'age',
        kind: 'expression',
        cell: 0,
        cell_id: '',
        line: 1,
        before: 'x',
        after: 'y',
        ...divergence
      }))
    },
    features: (said.features ?? []).map(feature => ({
      name: 'age',
      status: 'proven',
      inputs: [],
      cells: [],
      learned: [],
      missing: null,
      unseen: null,
      ...feature
    })),
    left_out: []
  };
}
