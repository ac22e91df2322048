import './base.css';
import './panels.css';
import './editor.css';
